/*
 * memmem and strstr in the static build. musl's search is for long texts and takes 1.5 KB; what is
 * searched here are lines, names and pieces of an answer.
 */
#include <string.h>

void *memmem(const void *text, size_t text_size, const void *part, size_t part_size)
{
    for (const char *at = text; text_size >= part_size; at++, text_size--)
        if (memcmp(at, part, part_size) == 0)
            return (void *)at;
    return NULL;
}

char *strstr(const char *text, const char *part)
{
    return memmem(text, strlen(text), part, strlen(part));
}
