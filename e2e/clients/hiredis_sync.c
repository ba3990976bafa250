/* Facts about hiredis, its blocking context: what is sent is a command, and what comes is the next reply. */

#include "facts.h"

static redisContext *dial(int port) {
    redisContext *c = redisConnect(HOST, port);
    if (c == NULL || c->err)
        fail("cannot connect: %s", c ? c->errstr : "no memory");
    return c;
}

static redisReply *next(redisContext *c) {
    void *reply;
    if (redisGetReply(c, &reply) != REDIS_OK)
        fail("no reply: %s", c->errstr);
    return reply;
}

/* hear reads the next reply. */
static void hear(redisContext *c, const char *want) {
    char got[SHOWN_BYTES];
    redisReply *reply = next(c);
    show(reply, got);
    fact(got, want);
    freeReplyObject(reply);
}

/* hear_bytes reads a message that is these bytes. */
static void hear_bytes(redisContext *c, const char *want, size_t length) {
    redisReply *reply = next(c);
    fact_bytes(reply, want, length);
    freeReplyObject(reply);
}

/* ask sends a command and reads one reply. */
static void ask(redisContext *c, const char *want, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (redisvAppendCommand(c, format, args) != REDIS_OK)
        fail("cannot send %s: %s", format, c->errstr);
    va_end(args);
    hear(c, want);
}

static void binary(redisContext *publisher, int port) {
    chapter("bytes of all kinds, in messages and in names");
    redisContext *c = dial(port);
    const char *bytes = every_byte();
    size_t n = EVERY_BYTE_LENGTH;
    redisReply *reply = redisCommand(c, "SUBSCRIBE %b", bytes, n);
    if (reply == NULL || reply->elements != 3 || reply->element[1]->len != n || memcmp(reply->element[1]->str, bytes, n) != 0)
        fail("the confirmation has another name");
    freeReplyObject(reply);
    ask(publisher, "1", "PUBLISH %b %b", bytes, n, bytes, n);
    hear_bytes(c, bytes, n);
    ask(c, "[psubscribe \xff\r\n* 2]", "PSUBSCRIBE %b", "\xff\r\n*", (size_t)4);
    ask(publisher, "1", "PUBLISH %b %b", "\xff\r\n\0", (size_t)4, bytes, n);
    hear_bytes(c, bytes, n);
    ask(c, "[ssubscribe \r\n 1]", "SSUBSCRIBE %b", "\r\n", (size_t)2);
    ask(publisher, "1", "SPUBLISH %b %b", "\r\n", (size_t)2, bytes, n);
    hear_bytes(c, bytes, n);
    chapter("1 MB");
    ask(publisher, "1", "SPUBLISH %b %b", "\r\n", (size_t)2, megabyte(), (size_t)MEGABYTE_LENGTH);
    hear_bytes(c, megabyte(), MEGABYTE_LENGTH);
    redisFree(c);
}

static void pipelines(redisContext *publisher, int port) {
    chapter("pipeline and transaction: counts and messages in order");
    redisContext *c = dial(port);
    char want[64];
    ask(c, "[subscribe c 1]", "SUBSCRIBE c");
    for (int transaction = 0; transaction < 2; transaction++) {
        if (transaction)
            ask(publisher, "OK", "MULTI");
        for (int i = 0; i < 100; i++)
            redisAppendCommand(publisher, "PUBLISH c %d", i);
        for (int i = 0; i < 100; i++)
            hear(publisher, transaction ? "QUEUED" : "1");
        if (transaction) {
            redisReply *counts = redisCommand(publisher, "EXEC");
            if (counts == NULL || counts->elements != 100)
                fail("EXEC does not give 100 counts");
            for (size_t i = 0; i < counts->elements; i++)
                if (counts->element[i]->integer != 1)
                    fail("EXEC counts %lld for publish %zu", counts->element[i]->integer, i);
            freeReplyObject(counts);
        }
        for (int i = 0; i < 100; i++) {
            sprintf(want, "[message c %d]", i);
            hear(c, want);
        }
    }
    redisFree(c);
}

static void crowd(redisContext *publisher, int port) {
    chapter("several connections: each has its own subscriptions, and each is counted");
    enum { crowd = 20 };
    redisContext *all[crowd];
    for (int i = 0; i < crowd; i++) {
        all[i] = dial(port);
        ask(all[i], "[subscribe square 1]", "SUBSCRIBE square");
    }
    ask(publisher, "20", "PUBLISH square hello");
    for (int i = 0; i < crowd; i++)
        hear(all[i], "[message square hello]");
    ask(all[0], "[unsubscribe square 0]", "UNSUBSCRIBE square");
    ask(publisher, "19", "PUBLISH square again");
    for (int i = 1; i < crowd; i++)
        hear(all[i], "[message square again]");
    ask(all[0], "PONG", "PING");
    for (int i = 0; i < crowd; i++)
        redisFree(all[i]);
}

static void pubsub(int port) {
    redisContext *publisher = dial(port), *c = dial(port);

    chapter("subscribing: counts are of channels and patterns together, shard channels apart");
    ask(publisher, "PONG", "PING");
    ask(c, "[subscribe news 1]", "SUBSCRIBE news net");
    hear(c, "[subscribe net 2]");
    ask(c, "[psubscribe n* 3]", "PSUBSCRIBE n*");
    ask(c, "[ssubscribe shard 1]", "SSUBSCRIBE shard");

    chapter("publishing: the answer counts each subscription");
    ask(publisher, "2", "PUBLISH news hello");
    hear(c, "[message news hello]");
    hear(c, "[pmessage n* news hello]");
    ask(publisher, "1", "PUBLISH nose %s", "");
    hear(c, "[pmessage n* nose ]");
    ask(publisher, "1", "SPUBLISH shard piece");
    hear(c, "[smessage shard piece]");
    ask(publisher, "0", "PUBLISH other hello");
    ask(publisher, "0", "PUBLISH shard hello");
    ask(publisher, "0", "SPUBLISH news hello");

    chapter("asking, and what a subscriber may not ask");
    ask(publisher, "[net]", "PUBSUB CHANNELS ne[a-v]*");
    ask(publisher, "[news 1 none 0]", "PUBSUB NUMSUB news none");
    ask(publisher, "1", "PUBSUB NUMPAT");
    ask(publisher, "[shard]", "PUBSUB SHARDCHANNELS");
    ask(publisher, "[shard 1 news 0]", "PUBSUB SHARDNUMSUB shard news");
    ask(c, "[pong ]", "PING");
    ask(c, "-ERR Can't execute 'publish': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
        "PUBLISH net hello");

    chapter("unsubscribing");
    ask(c, "[unsubscribe news 2]", "UNSUBSCRIBE news");
    ask(publisher, "1", "PUBLISH news gone");
    hear(c, "[pmessage n* news gone]");
    ask(c, "[punsubscribe n* 1]", "PUNSUBSCRIBE");
    ask(publisher, "0", "PUBLISH news gone");
    ask(c, "[unsubscribe net 0]", "UNSUBSCRIBE");
    ask(c, "[unsubscribe nil 0]", "UNSUBSCRIBE");
    ask(publisher, "0", "PUBLISH net gone");
    ask(c, "[sunsubscribe shard 0]", "SUNSUBSCRIBE");
    ask(publisher, "0", "SPUBLISH shard gone");
    ask(c, "0", "PUBLISH net allowed");
    ask(publisher, "[]", "PUBSUB CHANNELS");

    binary(publisher, port);
    pipelines(publisher, port);
    crowd(publisher, port);

    chapter("quitting");
    ask(c, "OK", "QUIT");
    void *reply;
    if (redisGetReply(c, &reply) != REDIS_ERR || c->err != REDIS_ERR_EOF)
        fail("the connection is not closed: %s", c->errstr);
    redisFree(c);
    redisFree(publisher);
}

static void restart(int port) {
    chapter("a crash of the server is the end of the file, and the context can connect again");
    redisContext *c = dial(port), *publisher = dial(port);
    ask(c, "[subscribe news 1]", "SUBSCRIBE news");
    ask(publisher, "1", "PUBLISH news before");
    hear(c, "[message news before]");
    server_restarts();
    void *reply;
    if (redisGetReply(c, &reply) != REDIS_ERR || c->err != REDIS_ERR_EOF)
        fail("no end of the connection: %s", c->errstr);
    if (redisReconnect(c) != REDIS_OK || redisReconnect(publisher) != REDIS_OK)
        fail("cannot connect again: %s%s", c->errstr, publisher->errstr);
    ask(c, "[subscribe news 1]", "SUBSCRIBE news");
    ask(publisher, "1", "PUBLISH news after");
    hear(c, "[message news after]");
    redisFree(c);
    redisFree(publisher);
}

static void password(int port) {
    chapter("none, the wrong password, the wrong user, the right ones");
    redisContext *c = dial(port);
    ask(c, "-NOAUTH Authentication required.", "SUBSCRIBE news");
    ask(c, "-WRONGPASS invalid username-password pair or user is disabled.", "AUTH guess");
    ask(c, "-WRONGPASS invalid username-password pair or user is disabled.", "AUTH nobody secret");
    ask(c, "-NOAUTH Authentication required.", "PUBLISH news hello");
    ask(c, "OK", "AUTH secret");
    ask(c, "0", "PUBLISH news hello");
    ask(c, "OK", "AUTH default secret");
    ask(c, "[subscribe news 1]", "SUBSCRIBE news");
    redisFree(c);
}

int main(int argc, char **argv) {
    const struct part parts[] = {{"pubsub", pubsub}, {"restart", restart}, {"password", password}};
    return run_part(parts, sizeof parts / sizeof *parts, argc, argv);
}
