// Facts about ioredis. The subscriber is a connection that subscribes; in RESP2 it can do nothing else.

import { once } from 'node:events'
import { address, chapter, everyByte, fact, fails, library, mailbox, megabyte, packageName, protocolOption, run, serverRestarts, until } from './facts.js'

const { Redis } = library
const connect = (options) => new Redis({ ...address, ...protocolOption('protocol'), ...options })

/** All that a subscriber hears, in the order it comes: [event, channel, message] or ['pmessage', pattern, channel, message]. */
function listen(subscriber) {
  const heard = mailbox()
  for (const event of ['message', 'pmessage', 'smessage']) {
    subscriber.on(event, (...told) => heard.put(event, ...told))
  }
  return heard
}

async function pubsub(protocol) {
  chapter('connecting: ready when INFO says so')
  const publisher = connect()
  await once(publisher, 'ready')
  fact((await publisher.info()).includes('\r\nredis_mode:standalone\r\n'), true)
  fact(await publisher.ping(), 'PONG')
  fact(await publisher.echo('hello'), 'hello')
  fact(await publisher.client('GETNAME'), null)
  const subscriber = publisher.duplicate()
  const heard = listen(subscriber)

  chapter('subscribing: counts are of channels and patterns together, shard channels apart')
  fact(await subscriber.subscribe('news', 'net'), 2)
  fact(await subscriber.subscribe('news'), 2)
  fact(await subscriber.psubscribe('n*'), 3)
  fact(await subscriber.ssubscribe('shard'), 1)

  chapter('publishing: the answer counts each subscription')
  fact(await publisher.publish('news', 'hello'), 2)
  fact(await heard.next(), ['message', 'news', 'hello'])
  fact(await heard.next(), ['pmessage', 'n*', 'news', 'hello'])
  fact(await publisher.publish('nose', ''), 1)
  fact(await heard.next(), ['pmessage', 'n*', 'nose', ''])
  fact(await publisher.spublish('shard', 'piece'), 1)
  fact(await heard.next(), ['smessage', 'shard', 'piece'])
  fact(await publisher.publish('other', 'hello'), 0)
  fact(await publisher.publish('shard', 'hello'), 0)
  fact(await publisher.spublish('news', 'hello'), 0)

  chapter('asking')
  fact((await publisher.pubsub('CHANNELS')).sort(), ['net', 'news'])
  fact(await publisher.pubsub('CHANNELS', 'ne[a-v]*'), ['net'])
  fact(await publisher.pubsub('NUMSUB', 'news', 'none'), ['news', 1, 'none', 0])
  fact(await publisher.pubsub('NUMPAT'), 1)
  fact(await publisher.pubsub('SHARDCHANNELS'), ['shard'])
  fact(await publisher.pubsub('SHARDNUMSUB', 'shard', 'news'), ['shard', 1, 'news', 0])

  chapter('a subscriber that does something else')
  if (protocol === 3) {
    fact(await subscriber.ping(), 'PONG')
    fact(await subscriber.publish('net', 'to myself'), 2)
    fact(await heard.next(), ['message', 'net', 'to myself'])
    fact(await heard.next(), ['pmessage', 'n*', 'net', 'to myself'])
  } else {
    fact(await subscriber.ping(), ['pong', ''])
    await fails(subscriber.publish('net', 'to myself'), /subscriber mode/)
  }

  chapter('1 MB')
  fact(await publisher.publish('news', megabyte), 2)
  fact(await heard.next(), ['message', 'news', megabyte])
  fact(await heard.next(), ['pmessage', 'n*', 'news', megabyte])

  chapter('unsubscribing')
  fact(await subscriber.unsubscribe('news'), 2)
  fact(await publisher.publish('news', 'gone'), 1)
  fact(await heard.next(), ['pmessage', 'n*', 'news', 'gone'])
  fact(await subscriber.punsubscribe('n*'), 1)
  fact(await publisher.publish('news', 'gone'), 0)
  fact(await subscriber.subscribe('third'), 2)
  fact(await subscriber.unsubscribe(), 0)
  fact(await publisher.publish('net', 'gone'), 0)
  fact(await publisher.publish('third', 'gone'), 0)
  fact(await subscriber.sunsubscribe('shard'), 0)
  fact(await publisher.spublish('shard', 'gone'), 0)
  fact(await subscriber.unsubscribe(), 0)
  fact(await subscriber.punsubscribe(), 0)
  fact(await subscriber.sunsubscribe(), 0)
  fact(await publisher.pubsub('CHANNELS'), [])
  fact(await subscriber.publish('net', 'a subscriber no more'), 0)

  await binary(publisher)
  await pipelines(publisher)
  await crowd(publisher)

  chapter('quitting')
  fact(heard.size, 0)
  await subscriber.subscribe('news')
  fact(await subscriber.quit(), 'OK')
  await until(async () => await publisher.publish('news', 'gone') === 0)
  fact(await publisher.quit(), 'OK')
}

async function binary(publisher) {
  chapter('bytes of all kinds, in messages and in names')
  const subscriber = connect()
  const heard = mailbox()
  subscriber.on('messageBuffer', heard.put)
  subscriber.on('pmessageBuffer', (_, channel, message) => heard.put(channel, message))
  subscriber.on('smessageBuffer', heard.put)
  fact(await subscriber.subscribe(everyByte), 1)
  fact(await subscriber.psubscribe(Buffer.from('\xff\r\n*', 'latin1')), 2)
  fact(await subscriber.ssubscribe(everyByte), 1)
  fact(await publisher.publish(everyByte, everyByte), 1)
  fact(await heard.next(), [everyByte, everyByte])
  const matching = Buffer.concat([Buffer.from('\xff\r\n', 'latin1'), everyByte])
  fact(await publisher.publish(matching, ''), 1)
  fact(await heard.next(), [matching, Buffer.alloc(0)])
  fact(await publisher.spublish(everyByte, everyByte), 1)
  fact(await heard.next(), [everyByte, everyByte])
  fact(await publisher.pubsubBuffer('CHANNELS'), [everyByte])
  fact(await subscriber.unsubscribe(everyByte), 1)
  fact(await publisher.publish(everyByte, everyByte), 0)
  subscriber.disconnect()
}

async function pipelines(publisher) {
  chapter('pipeline, transaction, automatic pipeline: counts and messages in order')
  const subscriber = connect()
  const heard = listen(subscriber)
  await subscriber.subscribe('c')
  const numbers = Array.from({ length: 100 }, (_, i) => String(i))
  const hears = async () => {
    for (const n of numbers) fact(await heard.next(), ['message', 'c', n])
  }
  for (const batch of [publisher.pipeline(), publisher.multi()]) {
    for (const n of numbers) batch.publish('c', n)
    fact(await batch.exec(), numbers.map(() => [null, 1]))
    await hears()
  }
  const automatic = connect({ enableAutoPipelining: true })
  fact(await Promise.all(numbers.map((n) => automatic.publish('c', n))), numbers.map(() => 1))
  await hears()
  fact(await publisher.multi({ pipeline: false }), 'OK')
  fact(await publisher.publish('c', 'never'), 'QUEUED')
  fact(await publisher.discard(), 'OK')
  await automatic.quit()
  await subscriber.quit()
  fact(heard.size, 0)
}

async function crowd(publisher) {
  chapter('several connections: each has its own subscriptions, and each is counted')
  const crowd = Array.from({ length: 20 }, () => publisher.duplicate())
  const ears = crowd.map(listen)
  fact(await Promise.all(crowd.map((one) => one.subscribe('square'))), crowd.map(() => 1))
  fact(await publisher.pubsub('NUMSUB', 'square'), ['square', crowd.length])
  fact(await publisher.publish('square', 'hello'), crowd.length)
  for (const heard of ears) fact(await heard.next(), ['message', 'square', 'hello'])
  fact(await crowd[0].unsubscribe('square'), 0)
  fact(await publisher.publish('square', 'again'), crowd.length - 1)
  for (const heard of ears.slice(1)) fact(await heard.next(), ['message', 'square', 'again'])
  await Promise.all(crowd.map((one) => one.quit()))
  fact(ears[0].size, 0)
}

async function restart() {
  chapter('the library subscribes again after a crash of the server')
  const [publisher, subscriber] = [connect(), connect()]
  const heard = listen(subscriber)
  // Without listeners the library prints the refused connections that are meant to be here.
  for (const client of [publisher, subscriber]) client.on('error', () => {})
  await subscriber.subscribe('news', 'net')
  await subscriber.psubscribe('p*')
  await subscriber.ssubscribe('shard')
  await publisher.ping()
  await serverRestarts()
  for (const [send, channel, ...want] of [
    ['publish', 'news', 'message', 'news'], ['publish', 'net', 'message', 'net'],
    ['publish', 'ping', 'pmessage', 'p*', 'ping'], ['spublish', 'shard', 'smessage', 'shard']]) {
    await until(async () => await publisher[send](channel, 'after') === 1)
    fact(await heard.next(), [...want, 'after'])
  }
  fact(await subscriber.unsubscribe('news', 'net'), 1)
  await Promise.all([publisher.quit(), subscriber.quit()])
}

async function password() {
  chapter('the right password, alone and with the user it belongs to')
  for (const options of [{ password: 'secret' }, { username: 'default', password: 'secret' }]) {
    const client = connect({ ...options, connectionName: 'me', db: 3 })
    fact(await client.subscribe('news'), 1)
    const other = client.duplicate()
    fact(await other.publish('news', 'hello'), 1)
    fact(await other.client('GETNAME'), 'me')
    await Promise.all([client.quit(), other.quit()])
  }
  const url = new Redis(`redis://:secret@${address.host}:${address.port}`, protocolOption('protocol'))
  fact(await url.ping(), 'PONG')
  await url.quit()

  chapter('the wrong password, the wrong user, none')
  for (const [options, pattern] of [
    [{ password: 'guess' }, /WRONGPASS/], [{ username: 'nobody', password: 'secret' }, /WRONGPASS/], [{}, /NOAUTH/]]) {
    const client = connect({ ...options, retryStrategy: null })
    await fails(once(client, 'ready'), pattern)
    client.disconnect()
  }
}

await run(packageName === 'ioredis5' ? 2 : 3, { pubsub, restart, password })
