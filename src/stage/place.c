/* Owns the beginning of a stage's faults. */
#include "stage/place.h"

#include <stdarg.h>
#include <stdio.h>

int place_fault(const struct plan *plan, const struct stage_plan *stage, struct fault *why,
                const char *format, ...)
{
    char text[800];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (!plan->config || stage->line == 0)
        return fault_set(why, "[stage %s] %s", stage->name, text);
    return fault_set(why, "%s:%d: [stage %s] %s", plan->config, stage->line, stage->name, text);
}
