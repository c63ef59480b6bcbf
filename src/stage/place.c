/* Owns the beginning of a stage's faults. */
#include "stage/place.h"

#include <stdarg.h>
#include <stdio.h>

#include "plan/draft.h"
#include "plan/keys.h"

int place_fault(const struct plan *plan, const struct stage_plan *stage, struct fault *why,
                const char *format, ...)
{
    const struct key *key = keys_find(KEY_STAGE, keys_action_name(stage->action));
    const struct source *source = key ? &stage->sources[keys_place(key)] : NULL;
    char place[DRAFT_PLACE_SIZE];
    char text[800];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (!source || source->kind == SOURCE_DEFAULT || stage->line == 0)
        return fault_set(why, "[stage %s] %s", stage->name, text);
    return fault_set(why, "%s: [stage %s] %s", draft_place(plan, source, place, sizeof place),
                     stage->name, text);
}
