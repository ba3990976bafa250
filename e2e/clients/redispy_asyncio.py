"""Facts about redis-py's asyncio client: what the blocking one knows, with many tasks at once."""

import asyncio

from redis import asyncio as redis

from facts import ADDRESS, EVERY_BYTE, MEGABYTE, WAIT, chapter, fact, part, server_restarts, told


def connect(**options):
    return redis.Redis(**ADDRESS, **options)


async def hear(subscriber, *want):
    fact(told(await subscriber.get_message(timeout=WAIT)), want)


async def fails(error, text, awaitable):
    try:
        outcome = await awaitable
    except error as e:
        if text in str(e):
            return
        raise
    raise AssertionError(f"got {outcome!r}, want {error.__name__}")


async def pubsub():
    chapter("connecting")
    publisher = connect()
    fact(await publisher.ping(), True)
    fact(await publisher.client_getname(), None)
    fact((await publisher.info())["redis_mode"], "standalone")
    subscriber = publisher.pubsub()

    chapter("subscribing and publishing, with all kinds of bytes")
    await subscriber.subscribe("news", EVERY_BYTE)
    await hear(subscriber, "subscribe", None, b"news", 1)
    await hear(subscriber, "subscribe", None, EVERY_BYTE, 2)
    await subscriber.psubscribe("n*")
    await hear(subscriber, "psubscribe", None, b"n*", 3)
    await subscriber.ping("hello")
    await hear(subscriber, "pong", None, None, b"hello")
    fact(await publisher.publish("news", "hello"), 2)
    await hear(subscriber, "message", None, b"news", b"hello")
    await hear(subscriber, "pmessage", b"n*", b"news", b"hello")
    fact(await publisher.publish(EVERY_BYTE, EVERY_BYTE), 1)
    await hear(subscriber, "message", None, EVERY_BYTE, EVERY_BYTE)
    fact(await publisher.publish("nose", MEGABYTE), 1)
    await hear(subscriber, "pmessage", b"n*", b"nose", MEGABYTE)
    fact(await publisher.publish("other", "hello"), 0)
    fact(await publisher.execute_command("SPUBLISH", "news", "hello"), 0)

    chapter("asking")
    fact(sorted(await publisher.pubsub_channels()), [EVERY_BYTE, b"news"])
    fact(await publisher.pubsub_numsub("news", "none"), [(b"news", 1), (b"none", 0)])
    fact(await publisher.pubsub_numpat(), 1)

    chapter("unsubscribing")
    await subscriber.unsubscribe(EVERY_BYTE)
    await hear(subscriber, "unsubscribe", None, EVERY_BYTE, 2)
    fact(await publisher.publish(EVERY_BYTE, "gone"), 0)
    await subscriber.punsubscribe()
    await hear(subscriber, "punsubscribe", None, b"n*", 1)
    await subscriber.unsubscribe()
    await hear(subscriber, "unsubscribe", None, b"news", 0)
    fact(await publisher.publish("news", "gone"), 0)
    fact(subscriber.subscribed, False)
    await subscriber.close()

    await pipelines(publisher)
    await crowd(publisher)
    await publisher.close()


async def pipelines(publisher):
    chapter("pipeline and transaction: counts and messages in order")
    async with publisher.pubsub() as subscriber:
        await subscriber.subscribe("c")
        await hear(subscriber, "subscribe", None, b"c", 1)
        for transaction in (False, True):
            async with publisher.pipeline(transaction=transaction) as batch:
                for i in range(100):
                    batch.publish("c", i)
                fact(await batch.execute(), [1] * 100)
            for i in range(100):
                await hear(subscriber, "message", None, b"c", b"%d" % i)


async def crowd(publisher):
    chapter("several tasks, each with its own connection")
    subscribers = [publisher.pubsub() for _ in range(20)]

    async def member(subscriber):
        await hear(subscriber, "message", None, b"square", b"hello")
        await subscriber.unsubscribe()
        await hear(subscriber, "unsubscribe", None, b"square", 0)
        await subscriber.close()

    for subscriber in subscribers:
        await subscriber.subscribe("square")
        await hear(subscriber, "subscribe", None, b"square", 1)
    members = asyncio.gather(*map(member, subscribers))
    fact(await publisher.publish("square", "hello"), len(subscribers))
    await members
    fact(await asyncio.gather(*(publisher.publish("square", "gone") for _ in range(20))), [0] * 20)


async def restart():
    chapter("the library tells of a crash of the server, and subscribes again when it is asked for a message")
    publisher = connect()
    subscriber = publisher.pubsub()
    await subscriber.subscribe("news")
    await subscriber.psubscribe("p*")
    await hear(subscriber, "subscribe", None, b"news", 1)
    await hear(subscriber, "psubscribe", None, b"p*", 2)
    server_restarts()
    await fails(redis.ConnectionError, "", subscriber.get_message(timeout=WAIT))
    await hear(subscriber, "subscribe", None, b"news", 1)
    await hear(subscriber, "psubscribe", None, b"p*", 2)
    fact(await publisher.publish("news", "after"), 1)
    await hear(subscriber, "message", None, b"news", b"after")
    fact(await publisher.publish("ping", "after"), 1)
    await hear(subscriber, "pmessage", b"p*", b"ping", b"after")
    await subscriber.close()
    await publisher.close()


async def password():
    chapter("the right password, the wrong one, none")
    for options in ({"password": "secret"}, {"username": "default", "password": "secret"}):
        async with connect(**options, client_name="me") as client, client.pubsub() as subscriber:
            fact(await client.client_getname(), "me")
            await subscriber.subscribe("news")
            await hear(subscriber, "subscribe", None, b"news", 1)
            fact(await client.publish("news", "hello"), 1)
            await hear(subscriber, "message", None, b"news", b"hello")
    for options, error, text in (
        ({"password": "guess"}, redis.ResponseError, "WRONGPASS invalid username-password pair"),
        ({}, redis.AuthenticationError, "Authentication required"),
    ):
        async with connect(**options) as client:
            await fails(error, text, client.ping())


asyncio.run(part([pubsub, restart, password])())
