"""Facts about redis-py, its blocking client. What a PubSub hears, confirmations too, get_message gives in order."""

import queue

import redis

from facts import ADDRESS, EVERY_BYTE, MEGABYTE, WAIT, chapter, fact, part, server_restarts, told


def connect(**options):
    return redis.Redis(**ADDRESS, **options)


def hear(subscriber, *want):
    fact(told(subscriber.get_message(timeout=WAIT)), want)


def fails(error, text, call):
    try:
        outcome = call()
    except error as e:
        if text in str(e):
            return
        raise
    raise AssertionError(f"got {outcome!r}, want {error.__name__}")


def pubsub():
    chapter("connecting")
    publisher = connect()
    fact(publisher.ping(), True)
    fact(publisher.echo("hello"), b"hello")
    fact(publisher.client_getname(), None)
    fact(publisher.info()["redis_mode"], "standalone")
    subscriber = publisher.pubsub()

    chapter("subscribing: counts are of channels and patterns together")
    subscriber.subscribe("news", "net")
    hear(subscriber, "subscribe", None, b"news", 1)
    hear(subscriber, "subscribe", None, b"net", 2)
    subscriber.psubscribe("n*")
    hear(subscriber, "psubscribe", None, b"n*", 3)
    subscriber.ping("hello")
    hear(subscriber, "pong", None, None, b"hello")

    chapter("publishing: the answer counts each subscription")
    fact(publisher.publish("news", "hello"), 2)
    hear(subscriber, "message", None, b"news", b"hello")
    hear(subscriber, "pmessage", b"n*", b"news", b"hello")
    fact(publisher.publish("nose", ""), 1)
    hear(subscriber, "pmessage", b"n*", b"nose", b"")
    fact(publisher.publish("other", "hello"), 0)
    fact(publisher.execute_command("SPUBLISH", "news", "hello"), 0)

    chapter("asking")
    fact(sorted(publisher.pubsub_channels()), [b"net", b"news"])
    fact(publisher.pubsub_channels("ne[a-v]*"), [b"net"])
    fact(publisher.pubsub_numsub("news", "none"), [(b"news", 1), (b"none", 0)])
    fact(publisher.pubsub_numpat(), 1)
    fact(publisher.execute_command("PUBSUB SHARDCHANNELS"), [])
    fact(publisher.execute_command("PUBSUB SHARDNUMSUB", "news"), [b"news", 0])

    chapter("1 MB")
    fact(publisher.publish("news", MEGABYTE), 2)
    hear(subscriber, "message", None, b"news", MEGABYTE)
    hear(subscriber, "pmessage", b"n*", b"news", MEGABYTE)

    chapter("unsubscribing")
    subscriber.unsubscribe("news")
    hear(subscriber, "unsubscribe", None, b"news", 2)
    fact(publisher.publish("news", "gone"), 1)
    hear(subscriber, "pmessage", b"n*", b"news", b"gone")
    subscriber.punsubscribe()
    hear(subscriber, "punsubscribe", None, b"n*", 1)
    fact(publisher.publish("news", "gone"), 0)
    subscriber.unsubscribe()
    hear(subscriber, "unsubscribe", None, b"net", 0)
    fact(publisher.publish("net", "gone"), 0)
    fact(subscriber.subscribed, False)
    fact(publisher.pubsub_channels(), [])
    subscriber.close()

    binary(publisher)
    pipelines(publisher)
    threads(publisher)
    crowd(publisher)

    chapter("quitting")
    fact(publisher.quit(), True)


def binary(publisher):
    chapter("bytes of all kinds, in messages and in names; strings where they are asked for")
    with publisher.pubsub() as subscriber:
        subscriber.subscribe(EVERY_BYTE)
        hear(subscriber, "subscribe", None, EVERY_BYTE, 1)
        subscriber.psubscribe(b"\xff\r\n*")
        hear(subscriber, "psubscribe", None, b"\xff\r\n*", 2)
        fact(publisher.publish(EVERY_BYTE, EVERY_BYTE), 1)
        hear(subscriber, "message", None, EVERY_BYTE, EVERY_BYTE)
        fact(publisher.publish(b"\xff\r\n" + EVERY_BYTE, ""), 1)
        hear(subscriber, "pmessage", b"\xff\r\n*", b"\xff\r\n" + EVERY_BYTE, b"")
        fact(publisher.pubsub_channels(), [EVERY_BYTE])
        subscriber.unsubscribe(EVERY_BYTE)
        hear(subscriber, "unsubscribe", None, EVERY_BYTE, 1)
        fact(publisher.publish(EVERY_BYTE, "gone"), 0)
    with connect(decode_responses=True) as client, client.pubsub() as subscriber:
        subscriber.subscribe("grüße")
        hear(subscriber, "subscribe", None, "grüße", 1)
        fact(client.publish("grüße", "日本"), 1)
        hear(subscriber, "message", None, "grüße", "日本")


def pipelines(publisher):
    chapter("pipeline and transaction: counts and messages in order")
    with publisher.pubsub() as subscriber:
        subscriber.subscribe("c")
        hear(subscriber, "subscribe", None, b"c", 1)
        for transaction in (False, True):
            batch = publisher.pipeline(transaction=transaction)
            for i in range(100):
                batch.publish("c", i)
            fact(batch.execute(), [1] * 100)
            for i in range(100):
                hear(subscriber, "message", None, b"c", b"%d" % i)


def threads(publisher):
    chapter("handlers, called by a thread of the library")
    heard = queue.Queue()
    with publisher.pubsub(ignore_subscribe_messages=True) as subscriber:
        subscriber.subscribe(news=lambda message: heard.put(told(message)))
        thread = subscriber.run_in_thread(sleep_time=WAIT)
        while publisher.publish("news", "hello") == 0:
            pass
        fact(heard.get(timeout=WAIT), ("message", None, b"news", b"hello"))
        thread.stop()
        publisher.publish("news", "wake up")
        thread.join(WAIT)
        fact(thread.is_alive(), False)


def crowd(publisher):
    chapter("several connections: each has its own subscriptions, and each is counted")
    crowd = [publisher.pubsub() for _ in range(20)]
    for one in crowd:
        one.subscribe("square")
        hear(one, "subscribe", None, b"square", 1)
    fact(publisher.publish("square", "hello"), 20)
    crowd[0].unsubscribe("square")
    hear(crowd[0], "message", None, b"square", b"hello")
    hear(crowd[0], "unsubscribe", None, b"square", 0)
    fact(publisher.publish("square", "again"), 19)
    for one in crowd[1:]:
        hear(one, "message", None, b"square", b"hello")
        hear(one, "message", None, b"square", b"again")
    for one in crowd:
        one.close()


def restart():
    chapter("the library tells of a crash of the server, and subscribes again when it is asked for a message")
    publisher = connect()
    subscriber = connect().pubsub()
    subscriber.subscribe("news")
    subscriber.psubscribe("p*")
    hear(subscriber, "subscribe", None, b"news", 1)
    hear(subscriber, "psubscribe", None, b"p*", 2)
    fact(publisher.publish("news", "before"), 1)
    hear(subscriber, "message", None, b"news", b"before")
    server_restarts()
    fails(redis.ConnectionError, "", lambda: subscriber.get_message(timeout=WAIT))
    hear(subscriber, "subscribe", None, b"news", 1)
    hear(subscriber, "psubscribe", None, b"p*", 2)
    fact(publisher.publish("news", "after"), 1)
    hear(subscriber, "message", None, b"news", b"after")
    fact(publisher.publish("ping", "after"), 1)
    hear(subscriber, "pmessage", b"p*", b"ping", b"after")


def password():
    chapter("the right password, alone and with the user it belongs to")
    for options in ({"password": "secret"}, {"username": "default", "password": "secret"}):
        client = connect(**options, client_name="me", db=3)
        fact(client.client_getname(), "me")
        with client.pubsub() as subscriber:
            subscriber.subscribe("news")
            hear(subscriber, "subscribe", None, b"news", 1)
            fact(client.publish("news", "hello"), 1)
            hear(subscriber, "message", None, b"news", b"hello")
    fact(redis.from_url("redis://:secret@{host}:{port}".format(**ADDRESS)).ping(), True)

    chapter("the wrong password, the wrong user, none")
    wrong = "WRONGPASS invalid username-password pair"
    fails(redis.ResponseError, wrong, connect(password="guess").ping)
    fails(redis.ResponseError, wrong, connect(username="nobody", password="secret").ping)
    fails(redis.AuthenticationError, "Authentication required", connect().ping)


part([pubsub, restart, password])()
