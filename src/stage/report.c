/* The wording of clear, empty and touch. Decides nothing. */
#include "stage/report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

enum { PLACES_SIZE = 300, SENTENCE_SIZE = 900 };

static bool is_just(const struct stage_plan *stage, const char *set)
{
    return stage->subjects.count == 1 && strcmp(stage->subjects.items[0], set) == 0;
}

const char *report_title(const struct stage_plan *stage, char *out, size_t out_size)
{
    if (stage->action == ACTION_TOUCH)
        snprintf(out, out_size, "Forcing template recompilation");
    else if (stage->action == ACTION_EMPTY)
        snprintf(out, out_size, "Emptying %.200s", stage->subject);
    else if (is_just(stage, "bytecode"))
        snprintf(out, out_size, "Clearing Python cache");
    else if (is_just(stage, "jinja"))
        snprintf(out, out_size, "Clearing compiled templates");
    else if (is_just(stage, "next"))
        snprintf(out, out_size, "Clearing .next/ .turbo/ node_modules/.cache/");
    else
        snprintf(out, out_size, "Clearing %.200s", stage->subject);
    return out;
}

/* "Would clear Python cache". */
static const char *dry_title(const struct stage_plan *stage, char *out, size_t out_size)
{
    static const struct {
        const char *doing;
        const char *would;
    } words[] = { { "Forcing", "force" }, { "Emptying", "empty" }, { "Clearing", "clear" } };
    char title[256];

    report_title(stage, title, sizeof title);
    for (size_t i = 0; i < COUNT(words); i++) {
        size_t length = strlen(words[i].doing);
        if (strncmp(title, words[i].doing, length) == 0)
            snprintf(out, out_size, "Would %s%s", words[i].would, title + length);
    }
    return out;
}

/* The roots that the stage worked in. */
static const char *places(const struct roots *roots, size_t index, char *out, size_t out_size)
{
    size_t used = 0;
    size_t more = 0;

    snprintf(out, out_size, "no folder");
    for (size_t i = 0; i < roots->count; i++) {
        if (!(roots->items[i].stages >> index & 1))
            continue;
        size_t length = strlen(roots->items[i].path);
        if (used + length + 40 > out_size) {
            more++;
            continue;
        }
        used += (size_t)snprintf(out + used, out_size - used, "%s%s", used > 0 ? " " : "",
                                 roots->items[i].path);
    }
    if (more > 0)
        snprintf(out + used, out_size - used, "%sand %zu more", used > 0 ? " " : "", more);
    return out;
}

static const char *noun(int64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

/* What was done, in numbers: the middle of the sentence. */
static void count_sentence(const struct sweep *sweep, const struct choice *choice,
                           const struct stage_result *result, const char *below, char *out,
                           size_t size)
{
    long long seen = result->seen;
    long long done = result->done;
    bool is_dry = sweep->is_dry;

    if (choice->stage->action == ACTION_TOUCH)
        snprintf(out, size, "%lld %s%s below %s", done, noun(done, "template", "templates"),
                 is_dry ? "" : " touched", below);
    else if (choice->stage->action == ACTION_EMPTY)
        snprintf(out, size, "%lld %s%s", done, noun(done, "file", "files"),
                 is_dry ? "" : " removed");
    else if (!choice->has_bytecode || choice->stage->mode == BYTECODE_ALL)
        snprintf(out, size, "%lld %s%s below %s", done, noun(done, "file", "files"),
                 is_dry ? "" : " removed", below);
    else if (result->problems > 0 && !is_dry)
        snprintf(out, size, "%lld of %lld %s removed below %s", done, seen,
                 noun(seen, "file", "files"), below);
    else if (done == 0 && !is_dry)
        snprintf(out, size, "%lld of %lld %s stale, nothing to remove below %s", done, seen,
                 noun(seen, "file", "files"), below);
    else
        snprintf(out, size, "%lld of %lld %s stale%s below %s", done, seen,
                 noun(seen, "file", "files"), is_dry ? "" : ", removed", below);
}

/* Debug: it is what was asked for. Info: someone may wonder. */
static const struct {
    const char *event;
    const char *text;
    enum log_level level;
} note_lines[] = {
    [TALLY_SOURCELESS] = { "stage.sourceless",
                           "bytecode without source, kept, since it may be the application "
                           "(sourceless = remove clears it)",
                           LOG_INFO },
    [TALLY_FOREIGN] = { "stage.foreign", "bytecode of another or unknown Python, left alone",
                        LOG_INFO },
    [TALLY_GHOST] = { "stage.ghost",
                      "held nothing but bytecode: Python still imports the folder as an empty "
                      "package until it is removed",
                      LOG_INFO },
    [TALLY_MOUNT] = { "stage.mount",
                      "is a mount, not entered: name it in \"in\" to have it cleared, too",
                      LOG_INFO },
};

static void tell_notes(const struct sweep *sweep, size_t index, const struct tally_sums *sums,
                       const char *title)
{
    const char *stage = sweep->choices[index].stage->name;

    for (size_t i = 0; i < sweep->tally.kept_count; i++) {
        const struct tally_kept *kept = &sweep->tally.kept[i];
        if (kept->stage != index || kept->note != TALLY_PROBLEM)
            continue;
        log_event(LOG_WARN, "stage.problem",
                  LOG_FIELDS(LOG_TEXT("stage", stage), LOG_TEXT("path", kept->path),
                             LOG_TEXT("error", strerror(kept->error))),
                  "%s: %s: %s", title, kept->path, strerror(kept->error));
    }
    for (size_t note = TALLY_SOURCELESS; note < TALLY_NOTES; note++) {
        int64_t count = sums->notes[note];
        for (size_t i = 0; i < sweep->tally.kept_count && count > 0; i++) {
            const struct tally_kept *kept = &sweep->tally.kept[i];
            if (kept->stage != index || kept->note != note)
                continue;
            char more[40] = "";
            if (count > 1)
                snprintf(more, sizeof more, " and %lld more", (long long)count - 1);
            log_event(note_lines[note].level, note_lines[note].event,
                      LOG_FIELDS(LOG_TEXT("stage", stage), LOG_TEXT("path", kept->path),
                                 LOG_NUMBER("count", count)),
                      "%s: %s%s: %s", title, kept->path, more, note_lines[note].text);
            break;
        }
    }
}

void report_stage(struct sweep *sweep, size_t index, const struct roots *roots,
                  struct stage_result *result)
{
    const struct choice *choice = &sweep->choices[index];
    struct tally_sums sums;
    int64_t ms = clock_ms() - sweep->started_ms;
    char title[256] = "";
    char below[PLACES_SIZE];
    char middle[SENTENCE_SIZE];
    char time[40];
    char bytes[40];
    char size[60] = "";
    char trouble[60] = "";

    tally_sum(&sweep->tally, index, &sums);
    result->seen = sums.seen;
    result->done = sums.done;
    result->bytes = sums.bytes;
    result->problems = sums.notes[TALLY_PROBLEM];
    report_title(choice->stage, title, sizeof title);
    tell_notes(sweep, index, &sums, title);
    if (sweep->is_dry)
        dry_title(choice->stage, title, sizeof title);
    places(roots, index, below, sizeof below);
    count_sentence(sweep, choice, result, below, middle, sizeof middle);
    if (choice->stage->action != ACTION_TOUCH && result->done > 0)
        snprintf(size, sizeof size, ", %s", text_show_bytes(result->bytes, bytes, sizeof bytes));
    if (result->problems > 0)
        snprintf(trouble, sizeof trouble, ", %lld %s", (long long)result->problems,
                 noun(result->problems, "problem", "problems"));
    log_event(LOG_INFO, "stage.done",
              LOG_FIELDS(LOG_TEXT("stage", choice->stage->name), LOG_NUMBER("seen", result->seen),
                         LOG_NUMBER("done", result->done), LOG_NUMBER("bytes", result->bytes),
                         LOG_NUMBER("problems", result->problems), LOG_NUMBER("ms", ms)),
              "%s: %s%s%s, %s", title, middle, size, trouble, text_show_ms(ms, time, sizeof time));
}
