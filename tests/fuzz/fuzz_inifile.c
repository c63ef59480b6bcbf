/* A freshinit.ini that holds anything at all, up to the plan that is printed. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "plan/draft.h"
#include "plan/print.h"
#include "plan/rules.h"
#include "plan/settle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const environment[] = { (char[]){ "A=one two" }, (char[]){ "E=" }, NULL };
    const struct inifile file = { .name = "f", .text = (const char *)data, .length = size };
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct fault why;

    fault_clear(&why);
    if (size <= INIFILE_SIZE_MAX && null >= 0 && arena_open(&why) == 0) {
        void *start = arena_take(1);
        struct draft draft = { .plan = draft_plan(), .file = "f", .why = &why };
        const struct inifile_handler handler = draft_handler(&draft);
        draft.plan->version = "0";
        inifile_parse(&file, &handler, &why);
        settle_plan(draft.plan, environment, 0, &why);
        rules_check(draft.plan, &why);
        if (print_plan(draft.plan, null) < 0)
            __builtin_trap();
        munmap(start, ARENA_SIZE);
    }
    close(null);
    return 0;
}
