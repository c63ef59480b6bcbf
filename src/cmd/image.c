/*
 * Says that an image is stale, and how to build it anew. Changes nothing.
 */
#include "cmd/image.h"

#include <stdio.h>

#include "plan/release.h"

enum image image_judge(const struct plan *plan, char *out, size_t out_size)
{
    out[0] = '\0';
    if (!plan->expect)
        return IMAGE_UNSAID;
    if (release_is_same(plan->release, plan->expect))
        return IMAGE_EXPECTED;
    if (plan->release[0] == '\0') {
        snprintf(out, out_size,
                 "release %s was expected, but this image does not say which it is: build it with "
                 "ARG and ENV GIT_COMMIT_HASH",
                 plan->expect);
        return IMAGE_UNKNOWN;
    }
    snprintf(out, out_size,
             "this image is release %s (from %s), but %s was expected: it was built from an old "
             "layer, or is an old tag. docker build --no-cache --pull --build-arg "
             "GIT_COMMIT_HASH=%s, and deploy that by its digest",
             plan->release, plan->release_from, plan->expect, plan->expect);
    return IMAGE_STALE;
}
