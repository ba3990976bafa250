/* What the C programs share. A program is called as
 *
 *     hiredis_sync PART PORT
 *
 * with one of its parts. It ends with code 0 if all its facts hold. The chapters that it prints tell where it stopped. */

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "127.0.0.1"

/* Longest text that show makes of a reply; what is longer is compared by bytes. */
#define SHOWN_BYTES 4096

static void chapter(const char *title) { fprintf(stderr, "# %s\n", title); }

/* fail ends the program. */
__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void fact(const char *got, const char *want) {
    if (strcmp(got, want) != 0)
        fail("got \"%s\", want \"%s\"", got, want);
}

/* show writes a reply as the facts have it: text bare, errors with '-', lists in brackets, null as nil. */
static void show(const redisReply *r, char *text) {
    if (r == NULL) {
        strcpy(text, "none");
        return;
    }
    switch (r->type) {
    case REDIS_REPLY_INTEGER:
        sprintf(text, "%lld", r->integer);
        return;
    case REDIS_REPLY_NIL:
        strcpy(text, "nil");
        return;
    case REDIS_REPLY_ARRAY:
        strcpy(text, "[");
        for (size_t i = 0; i < r->elements; i++) {
            text += strlen(text);
            if (i > 0)
                *text++ = ' ';
            show(r->element[i], text);
        }
        strcat(text, "]");
        return;
    default:
        if (r->len >= SHOWN_BYTES / 4)
            sprintf(text, "%zu bytes", r->len);
        else
            sprintf(text, "%s%s", r->type == REDIS_REPLY_ERROR ? "-" : "", r->str);
    }
}

/* fact_bytes: the last element of a message is these bytes. */
static void fact_bytes(const redisReply *message, const char *want, size_t length) {
    if (message == NULL || message->type != REDIS_REPLY_ARRAY || message->elements == 0)
        fail("not a message");
    const redisReply *got = message->element[message->elements - 1];
    if (got->type != REDIS_REPLY_STRING || got->len != length || memcmp(got->str, want, length) != 0)
        fail("a message of %zu bytes is not the one of %zu bytes that was published", got->len, length);
}

/* EVERY_BYTE has every byte value, and line ends where a sloppy parser would look for them. */
#define EVERY_BYTE_BEGINS "\r\n$-1\r\n"
#define EVERY_BYTE_LENGTH (sizeof EVERY_BYTE_BEGINS - 1 + 256)

static const char *every_byte(void) {
    static char bytes[EVERY_BYTE_LENGTH];
    memcpy(bytes, EVERY_BYTE_BEGINS, sizeof EVERY_BYTE_BEGINS - 1);
    for (int i = 0; i < 256; i++)
        bytes[sizeof EVERY_BYTE_BEGINS - 1 + i] = (char)i;
    return bytes;
}

/* MEGABYTE is a message that differs all along. */
#define MEGABYTE_LENGTH 1000000

static const char *megabyte(void) {
    static char bytes[MEGABYTE_LENGTH + 1];
    for (int i = 0; i < MEGABYTE_LENGTH; i += 8)
        sprintf(bytes + i, "%07d;", i / 8);
    return bytes;
}

/* server_restarts has the test kill the server and start it again on its port. */
static void server_restarts(void) {
    char line[64];
    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        fail("the test says nothing");
}

/* part is one of a program's parts. */
struct part {
    const char *name;
    void (*run)(int port);
};

static int run_part(const struct part *parts, size_t n, int argc, char **argv) {
    for (size_t i = 0; argc == 3 && i < n; i++) {
        if (strcmp(parts[i].name, argv[1]) == 0) {
            parts[i].run(atoi(argv[2]));
            return 0;
        }
    }
    fail("usage: %s PART PORT", argv[0]);
}
