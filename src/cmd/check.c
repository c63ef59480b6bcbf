/*
 * Every fault of a configuration, or the plan that it makes. Runs nothing.
 */
#include <unistd.h>

#include "base/exitcode.h"
#include "cmd/commands.h"
#include "cmd/load.h"
#include "plan/print.h"
#include "server/advice.h"
#include "server/profiles.h"

int check_command(const struct invocation *invocation)
{
    struct fault why;

    fault_clear(&why);
    const struct plan *plan = load_plan(invocation, &why);
    if (!plan)
        return fault_report(&why);
    if (print_plan(plan, STDOUT_FILENO) < 0) {
        fault_errno(&why, "standard output");
        return fault_report(&why);
    }
    advice_give(plan, profiles_find(plan->server.kind, &plan->server.command));
    return 0;
}
