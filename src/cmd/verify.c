/*
 * The deployment checklist: release, disk, processes, answers, caches. Looks, and changes nothing.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/page.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/verify_parts.h"
#include "plan/env.h"

enum { TIMEOUT_MS = 60000, DOCKER_MS = 10000, KUBERNETES_MS = 30000 };

static int read_grace(const struct invocation *invocation, int64_t *out_ms, struct fault *why)
{
    const char *grace = invocation->call->grace;

    *out_ms =
        env_find(invocation->environment, "KUBERNETES_SERVICE_HOST") ? KUBERNETES_MS : DOCKER_MS;
    if (!grace || text_duration(grace, out_ms, why) == 0)
        return 0;
    fault_code(why, EXIT_USAGE);
    return -1;
}

int verify_command(const struct invocation *invocation)
{
    struct page page = { .fd = STDOUT_FILENO };
    struct processes processes = { .count = 0 };
    struct running running;
    struct fault none;
    struct fault why;

    fault_clear(&why);
    const struct plan *plan = running_plan(invocation, &running, &none, &why);
    struct verify verify = { .plan = plan,
                             .running = &running,
                             .processes = &processes,
                             .deadline_ms = clock_ms() + TIMEOUT_MS };
    if (!plan || read_grace(invocation, &verify.grace_ms, &why) < 0)
        return fault_report(&why);
    verify.none = fault_line(&none, 0);
    if (running.is_found && !running_processes(&running.record, &processes))
        processes.count = 0;
    verify_disk(&verify);
    verify_process(&verify);
    verify_port(&verify);
    verify_answer(&verify);
    verify_cache(&verify);
    if (invocation->call->is_json)
        checklist_json(&verify.list, &page);
    else
        checklist_print(&verify.list, &page);
    if (page_end(&page) < 0)
        return EXIT_FAILED;
    return verify.list.failed > 0 ? EXIT_FAILED : 0;
}
