/* Facts about hiredis, its asynchronous context: it gives each reply to a callback, and finds the callback of a message
 * by its channel or pattern. SSUBSCRIBE is nothing it knows. */

#include "facts.h"
#include <hiredis/async.h>
#include <poll.h>

/* The event loop: contexts say what they wait for, poll waits. */
struct watch {
    redisAsyncContext *context; /* NULL: closed, or never used */
    short events;
};

#define WATCHES_MAX 32 /* contexts at once; the crowd is 20 */
static struct watch watches[WATCHES_MAX];

static void add_read(void *watch) { ((struct watch *)watch)->events |= POLLIN; }
static void del_read(void *watch) { ((struct watch *)watch)->events &= ~POLLIN; }
static void add_write(void *watch) { ((struct watch *)watch)->events |= POLLOUT; }
static void del_write(void *watch) { ((struct watch *)watch)->events &= ~POLLOUT; }
static void cleanup(void *watch) { memset(watch, 0, sizeof(struct watch)); }

/* turn waits once for all contexts and handles what is there. */
static void turn(void) {
    struct pollfd fds[WATCHES_MAX];
    for (int i = 0; i < WATCHES_MAX; i++) {
        fds[i].fd = watches[i].context ? watches[i].context->c.fd : -1;
        fds[i].events = watches[i].events;
        fds[i].revents = 0;
    }
    if (poll(fds, WATCHES_MAX, -1) < 0)
        fail("cannot poll");
    for (int i = 0; i < WATCHES_MAX; i++) {
        if (fds[i].revents & (POLLIN | POLLERR | POLLHUP) && watches[i].context)
            redisAsyncHandleRead(watches[i].context);
        if (fds[i].revents & POLLOUT && watches[i].context)
            redisAsyncHandleWrite(watches[i].context);
    }
}

/* What callbacks were told, in order, and not yet compared with a fact. */
#define HEARD_MAX 256
static char heard[HEARD_MAX][SHOWN_BYTES];
static int heard_first, heard_end;

static void note(const char *whom, const redisReply *reply) {
    if (heard_end - heard_first == HEARD_MAX)
        fail("more than %d replies wait", HEARD_MAX);
    char *text = heard[heard_end++ % HEARD_MAX];
    text += sprintf(text, "%s: ", whom);
    show(reply, text);
}

/* hear waits for the next callback: who was called, and with what. */
static void hear(const char *want) {
    while (heard_first == heard_end)
        turn();
    fact(heard[heard_first++ % HEARD_MAX], want);
}

/* on_reply notes a reply; its data is the name that the facts call it by. */
static void on_reply(redisAsyncContext *c, void *reply, void *name) {
    (void)c;
    note(name, reply);
}

/* on_bytes, after the confirmation, wants a message that is every_byte, or megabyte if it is long. */
static void on_bytes(redisAsyncContext *c, void *reply, void *name) {
    (void)c;
    const redisReply *r = reply;
    if (r == NULL || strcmp(r->element[0]->str, "message") != 0) {
        note(name, NULL);
        return;
    }
    if (r->element[2]->len > EVERY_BYTE_LENGTH)
        fact_bytes(r, megabyte(), MEGABYTE_LENGTH);
    else
        fact_bytes(r, every_byte(), EVERY_BYTE_LENGTH);
    note(name, r->element[0]);
}

static void on_connect(const redisAsyncContext *c, int status) {
    if (status != REDIS_OK)
        fail("cannot connect: %s", c->errstr);
    note("connected", NULL);
}

static void on_disconnect(const redisAsyncContext *c, int status) {
    (void)c;
    note(status == REDIS_OK ? "closed" : "broken", NULL);
}

static redisAsyncContext *dial(int port) {
    redisAsyncContext *c = redisAsyncConnect(HOST, port);
    if (c == NULL || c->err)
        fail("cannot connect: %s", c ? c->errstr : "no memory");
    int i = 0;
    while (watches[i].context)
        if (++i == WATCHES_MAX)
            fail("more than %d contexts", WATCHES_MAX);
    watches[i].context = c;
    c->ev.data = &watches[i];
    c->ev.addRead = add_read;
    c->ev.delRead = del_read;
    c->ev.addWrite = add_write;
    c->ev.delWrite = del_write;
    c->ev.cleanup = cleanup;
    redisAsyncSetConnectCallback(c, on_connect);
    redisAsyncSetDisconnectCallback(c, on_disconnect);
    hear("connected: none");
    return c;
}

static void hang_up(redisAsyncContext *c) {
    redisAsyncDisconnect(c);
    hear("closed: none");
}

static void binary(redisAsyncContext *publisher, redisAsyncContext *c) {
    chapter("bytes of all kinds, in messages and in names; 1 MB");
    const char *bytes = every_byte();
    size_t n = EVERY_BYTE_LENGTH;
    redisAsyncCommand(c, on_bytes, "bytes", "SUBSCRIBE %b", bytes, n);
    hear("bytes: none");
    redisAsyncCommand(publisher, NULL, NULL, "PUBLISH %b %b", bytes, n, bytes, n);
    hear("bytes: message");
    redisAsyncCommand(publisher, NULL, NULL, "PUBLISH %b %b", bytes, n, megabyte(), (size_t)MEGABYTE_LENGTH);
    hear("bytes: message");
    redisAsyncCommand(c, NULL, NULL, "UNSUBSCRIBE %b", bytes, n);
    hear("bytes: none");
    redisAsyncCommand(publisher, on_reply, "count", "PUBLISH %b gone", bytes, n);
    hear("count: 0");
}

static void pipelines(redisAsyncContext *publisher, redisAsyncContext *c) {
    chapter("pipeline: counts and messages in order");
    char want[64];
    redisAsyncCommand(c, on_reply, "c", "SUBSCRIBE c");
    hear("c: [subscribe c 1]");
    for (int i = 0; i < 100; i++)
        redisAsyncCommand(publisher, NULL, NULL, "PUBLISH c %d", i);
    redisAsyncCommand(publisher, NULL, NULL, "MULTI");
    for (int i = 100; i < 200; i++)
        redisAsyncCommand(publisher, NULL, NULL, "PUBLISH c %d", i);
    redisAsyncCommand(publisher, NULL, NULL, "EXEC");
    for (int i = 0; i < 200; i++) {
        sprintf(want, "c: [message c %d]", i);
        hear(want);
    }
    redisAsyncCommand(c, NULL, NULL, "UNSUBSCRIBE");
    hear("c: [unsubscribe c 0]");
}

static void crowd(redisAsyncContext *publisher, int port) {
    chapter("several connections: each has its own subscriptions, and each is counted");
    enum { crowd = 20 };
    redisAsyncContext *all[crowd];
    for (int i = 0; i < crowd; i++) {
        all[i] = dial(port);
        redisAsyncCommand(all[i], on_reply, "one", "SUBSCRIBE square");
        hear("one: [subscribe square 1]");
    }
    redisAsyncCommand(publisher, NULL, NULL, "PUBLISH square hello");
    for (int i = 0; i < crowd; i++)
        hear("one: [message square hello]");
    for (int i = 0; i < crowd; i++) {
        redisAsyncCommand(all[i], NULL, NULL, "UNSUBSCRIBE square");
        hear("one: [unsubscribe square 0]");
    }
    redisAsyncCommand(publisher, on_reply, "count", "PUBLISH square again");
    hear("count: 0");
    for (int i = 0; i < crowd; i++)
        hang_up(all[i]);
}

static void pubsub(int port) {
    chapter("subscribing");
    redisAsyncContext *publisher = dial(port), *c = dial(port);
    redisAsyncCommand(c, on_reply, "names", "SUBSCRIBE news net");
    hear("names: [subscribe news 1]");
    hear("names: [subscribe net 2]");
    redisAsyncCommand(c, on_reply, "pattern", "PSUBSCRIBE n*");
    hear("pattern: [psubscribe n* 3]");

    chapter("publishing: the answer counts each subscription; asking");
    redisAsyncCommand(publisher, NULL, NULL, "PUBLISH news hello");
    hear("names: [message news hello]");
    hear("pattern: [pmessage n* news hello]");
    redisAsyncCommand(publisher, NULL, NULL, "PUBLISH nose %s", "");
    hear("pattern: [pmessage n* nose ]");
    redisAsyncCommand(publisher, on_reply, "count", "PUBLISH other hello");
    hear("count: 0");
    redisAsyncCommand(publisher, on_reply, "count", "SPUBLISH news hello");
    hear("count: 0");
    redisAsyncCommand(publisher, on_reply, "numsub", "PUBSUB NUMSUB news none");
    hear("numsub: [news 1 none 0]");
    redisAsyncCommand(publisher, on_reply, "numpat", "PUBSUB NUMPAT");
    hear("numpat: 1");

    chapter("unsubscribing");
    redisAsyncCommand(c, NULL, NULL, "UNSUBSCRIBE news");
    hear("names: [unsubscribe news 2]");
    redisAsyncCommand(publisher, NULL, NULL, "PUBLISH news gone");
    hear("pattern: [pmessage n* news gone]");
    redisAsyncCommand(c, NULL, NULL, "PUNSUBSCRIBE");
    hear("pattern: [punsubscribe n* 1]");
    redisAsyncCommand(c, NULL, NULL, "UNSUBSCRIBE");
    hear("names: [unsubscribe net 0]");
    redisAsyncCommand(c, on_reply, "count", "PUBLISH net allowed");
    hear("count: 0");

    binary(publisher, c);
    pipelines(publisher, c);
    crowd(publisher, port);

    chapter("quitting");
    hang_up(c);
    hang_up(publisher);
}

static void restart(int port) {
    chapter("a crash of the server tells each callback and the connection's own");
    redisAsyncContext *c = dial(port);
    redisAsyncCommand(c, on_reply, "news", "SUBSCRIBE news");
    hear("news: [subscribe news 1]");
    server_restarts();
    hear("news: none");
    hear("broken: none");
    redisAsyncContext *publisher = dial(port);
    c = dial(port);
    redisAsyncCommand(c, on_reply, "news", "SUBSCRIBE news");
    hear("news: [subscribe news 1]");
    redisAsyncCommand(publisher, NULL, NULL, "PUBLISH news after");
    hear("news: [message news after]");
    redisAsyncFree(c);
    redisAsyncFree(publisher);
}

static void password(int port) {
    chapter("the wrong password, and the right one in one write with what needs it");
    redisAsyncContext *c = dial(port);
    redisAsyncCommand(c, on_reply, "auth", "AUTH guess");
    hear("auth: -WRONGPASS invalid username-password pair or user is disabled.");
    redisAsyncCommand(c, on_reply, "auth", "AUTH default secret");
    redisAsyncCommand(c, on_reply, "news", "SUBSCRIBE news");
    hear("auth: OK");
    hear("news: [subscribe news 1]");
    redisAsyncFree(c);
}

int main(int argc, char **argv) {
    const struct part parts[] = {{"pubsub", pubsub}, {"restart", restart}, {"password", password}};
    return run_part(parts, sizeof parts / sizeof *parts, argc, argv);
}
