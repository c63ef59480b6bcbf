/*
 * What was done at start and what runs now, for people and as JSON. Asks PID 1 nothing: its record
 * and /proc tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/page.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/running.h"
#include "proc/privs.h"

enum { JSON_VERSION = 1, TIME_SIZE = 32, NAMES_SIZE = 1024 };

static const char *const phase_names[] = { "stages", "serving", "stopping", "ended" };
static const char *const outcome_names[] = { "not run", "running", "done", "failed", "killed" };

struct status {
    const struct state_record *record;
    const struct processes *processes;
    char capabilities[NAMES_SIZE];
    int64_t oom_kills; /* -1: not known */
};

/* The number behind `name` in a small file of the kernel's; -1 when it does not say. */
static int64_t number_in(const char *path, const char *name)
{
    char text[4096];
    char *end;

    if (fdio_read_file(path, text, sizeof text) <= 0)
        return -1;
    char *at = strstr(text, name);
    if (!at)
        return -1;
    at += strlen(name);
    long long value = strtoll(at, &end, 10);
    return end == at ? -1 : value;
}

static int64_t count_oom_kills(void)
{
    int64_t count = number_in("/sys/fs/cgroup/memory.events", "oom_kill ");

    return count >= 0 ? count : number_in("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill ");
}

/* Those that a process has now. */
static void name_capabilities(pid_t pid, char *out, size_t out_size)
{
    char path[32];
    char text[4096];

    out[0] = '\0';
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (fdio_read_file(path, text, sizeof text) <= 0)
        return;
    const char *line = strstr(text, "CapEff:");
    if (line)
        privs_names(strtoull(line + strlen("CapEff:"), NULL, 16), out, out_size);
}

static int64_t memory_of(pid_t pid)
{
    char path[32];
    char text[128];
    char *resident;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (fdio_read_file(path, text, sizeof text) <= 0)
        return 0;
    strtoll(text, &resident, 10);
    return strtoll(resident, NULL, 10) * getpagesize();
}

static const char *name_of(const char *const *names, size_t count, uint32_t value)
{
    return value < count ? names[value] : "unknown";
}

static const char *show_when(uint32_t when)
{
    static const char *const names[] = { "build", "start", "ready", "reload", "stop" };

    for (size_t i = 0; i < COUNT(names); i++)
        if (when == 1U << i)
            return names[i];
    return "-";
}

static const char *show_role(const struct process *process)
{
    static const char *const names[] = { "server", "worker", "helper", "orphan", "freshinit" };

    if (process->state == 'Z')
        return "zombie";
    if (process->is_stale)
        return "STALE";
    return process->is_other ? "next" : names[process->role];
}

static unsigned generation_of(const struct status *status, const struct process *process)
{
    unsigned now = status->record->generation;

    if (process->is_other)
        return status->record->other_generation;
    return process->is_stale && now > 0 ? now - 1 : now;
}

static void print_stages(struct page *page, const struct status *status)
{
    const struct state_record *record = status->record;
    char time[TIME_SIZE];
    char bytes[TIME_SIZE];

    if (record->stage_count == 0)
        return;
    page_add(page, "\n%-20s %-7s %-8s %9s %9s %9s %9s %9s\n", "STAGE", "WHEN", "OUTCOME", "SEEN",
             "DONE", "BYTES", "PROBLEMS", "TIME");
    for (uint32_t i = 0; i < record->stage_count; i++) {
        const struct state_stage *stage = &record->stages[i];
        const struct stage_result *result = &stage->result;
        char name[4 * STATE_NAME_SIZE];
        page_add(page, "%-20s %-7s %-8s %9lld %9lld %9s %9lld %9s\n",
                 escape_text(stage->name, name, sizeof name), show_when(stage->when),
                 result->skipped ? "skipped"
                                 : name_of(outcome_names, COUNT(outcome_names), stage->outcome),
                 (long long)result->seen, (long long)result->done,
                 text_show_bytes(result->bytes, bytes, sizeof bytes), (long long)result->problems,
                 text_show_ms(stage->took_ms, time, sizeof time));
    }
}

static void print_processes(struct page *page, const struct status *status)
{
    char age[TIME_SIZE];
    char memory[TIME_SIZE];

    page_add(page, "\n%7s %7s %9s %4s %9s %-9s %s\n", "PID", "PARENT", "AGE", "GEN", "MEMORY",
             "ROLE", "NAME");
    for (size_t i = 0; i < status->processes->count; i++) {
        const struct process *process = &status->processes->items[i];
        page_add(page, "%7d %7d %9s %4u %9s %-9s %s\n", (int)process->pid, (int)process->parent,
                 text_show_ms(running_age_ms(process), age, sizeof age),
                 generation_of(status, process),
                 text_show_bytes(memory_of(process->pid), memory, sizeof memory),
                 show_role(process), process->name);
    }
    if (status->processes->is_cut)
        page_add(page, "and more: %d processes are looked at\n", PROCESSES_MAX);
}

static void print_counts(struct page *page, const struct status *status)
{
    const struct state_record *record = status->record;
    char time[TIME_SIZE];

    page_add(page, "\nreloads       %u done, %u failed", record->reloads_done,
             record->reloads_failed);
    if (record->reload_ms != 0)
        page_add(page, ", the last %s ago",
                 text_show_ms(clock_ms() - record->reload_ms, time, sizeof time));
    page_add(page, "%s\n", record->is_reloading ? "; one is under way" : "");
    page_add(page, "signals       %llu forwarded\n",
             (unsigned long long)record->counts[COUNT_FORWARDED]);
    page_add(page, "orphans       %llu reaped, %llu killed\n",
             (unsigned long long)record->counts[COUNT_REAPED],
             (unsigned long long)record->counts[COUNT_KILLED]);
    page_add(page, "capabilities  %s\n", status->capabilities[0] ? status->capabilities : "none");
    if (status->oom_kills >= 0)
        page_add(page, "OOM kills     %lld\n", (long long)status->oom_kills);
}

static void print_all(struct page *page, const struct status *status)
{
    const struct state_record *record = status->record;
    bool is_released = record->release[0] != '\0';
    char safe[2][4 * STATE_PATH_SIZE];
    char time[TIME_SIZE];

    page_add(page, "freshinit %s: pid %d, %s%s, %s, %s for %s\n", record->freshinit, record->pid,
             is_released ? "release " : "release unknown",
             escape_text(record->release, safe[0], sizeof safe[0]),
             record->config[0] ? escape_text(record->config, safe[1], sizeof safe[1])
                               : "no configuration file",
             name_of(phase_names, COUNT(phase_names), record->phase),
             text_show_ms(clock_ms() - record->began_ms, time, sizeof time));
    print_stages(page, status);
    print_processes(page, status);
    print_counts(page, status);
}

static void json_stages(struct page *page, const struct state_record *record)
{
    page_open(page, "stages", '[');
    for (uint32_t i = 0; i < record->stage_count; i++) {
        const struct state_stage *stage = &record->stages[i];
        page_open(page, NULL, '{');
        page_text(page, "name", stage->name);
        page_text(page, "when", show_when(stage->when));
        page_text(page, "outcome", name_of(outcome_names, COUNT(outcome_names), stage->outcome));
        page_bool(page, "skipped", stage->result.skipped != 0);
        page_number(page, "seen", stage->result.seen);
        page_number(page, "done", stage->result.done);
        page_number(page, "bytes", stage->result.bytes);
        page_number(page, "problems", stage->result.problems);
        page_number(page, "ms", stage->took_ms);
        page_close(page, '}');
    }
    page_close(page, ']');
}

static void json_processes(struct page *page, const struct status *status)
{
    page_open(page, "processes", '[');
    for (size_t i = 0; i < status->processes->count; i++) {
        const struct process *process = &status->processes->items[i];
        page_open(page, NULL, '{');
        page_number(page, "pid", process->pid);
        page_number(page, "parent", process->parent);
        page_text(page, "role", process->is_stale ? "stale" : show_role(process));
        page_text(page, "name", process->name);
        page_number(page, "age_ms", running_age_ms(process));
        page_number(page, "generation", generation_of(status, process));
        page_number(page, "memory_bytes", memory_of(process->pid));
        page_bool(page, "stale", process->is_stale);
        page_close(page, '}');
    }
    page_close(page, ']');
}

static void json_all(struct page *page, const struct status *status)
{
    const struct state_record *record = status->record;

    page_open(page, NULL, '{');
    page_number(page, "version", JSON_VERSION);
    page_text(page, "freshinit", record->freshinit);
    page_number(page, "pid", record->pid);
    page_text(page, "release", record->release);
    page_text(page, "config", record->config);
    page_text(page, "phase", name_of(phase_names, COUNT(phase_names), record->phase));
    page_number(page, "up_ms", clock_ms() - record->began_ms);
    page_number(page, "server", record->server);
    page_number(page, "generation", record->generation);
    page_bool(page, "ready", record->ready_ms != 0);
    page_bool(page, "reloading", record->is_reloading != 0);
    page_number(page, "reloads_done", record->reloads_done);
    page_number(page, "reloads_failed", record->reloads_failed);
    page_number(page, "signals_forwarded", (int64_t)record->counts[COUNT_FORWARDED]);
    page_number(page, "orphans_reaped", (int64_t)record->counts[COUNT_REAPED]);
    page_number(page, "leftovers_killed", (int64_t)record->counts[COUNT_KILLED]);
    page_text(page, "capabilities", status->capabilities);
    page_number(page, "oom_kills", status->oom_kills);
    json_stages(page, record);
    json_processes(page, status);
    page_close(page, '}');
    page_add(page, "\n");
}

int status_command(const struct invocation *invocation)
{
    struct page page = { .fd = STDOUT_FILENO };
    struct processes processes;
    struct running running;
    struct fault none;
    struct fault why;

    fault_clear(&why);
    const struct plan *plan = running_plan(invocation, &running, &none, &why);
    if (!plan)
        return fault_report(&why);
    if (!running.is_found) {
        fault_code(&why, EXIT_FAILED);
        fault_set(&why, "no freshinit to ask: %s", fault_line(&none, 0));
        return fault_report(&why);
    }
    struct status status = { .record = &running.record,
                             .processes = &processes,
                             .oom_kills = count_oom_kills() };
    /* A reload reads the release again; PID 1 itself does not. */
    if (running.record.reloads_done > 0)
        snprintf(running.record.release, sizeof running.record.release, "%s", plan->release);
    if (!running_processes(&running.record, &processes))
        processes.count = 0;
    name_capabilities(running.record.pid, status.capabilities, sizeof status.capabilities);
    if (invocation->call->is_json)
        json_all(&page, &status);
    else
        print_all(&page, &status);
    return page_end(&page) < 0 ? 1 : 0;
}
