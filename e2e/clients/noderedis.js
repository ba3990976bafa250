// Facts about node-redis, the package "redis". It calls a listener for each channel, and its subscribing has no answer.

import { once } from 'node:events'
import { address, chapter, everyByte, fact, fails, library, mailbox, megabyte, packageName, protocolOption, run, serverRestarts, until } from './facts.js'

const { createClient, RESP_TYPES } = library
const create = (options) => createClient({ socket: address, ...protocolOption('RESP'), ...options })
const connect = (options) => create(options).on('error', (error) => { throw error }).connect()

async function pubsub(protocol) {
  chapter('connecting')
  const publisher = await connect()
  fact(await publisher.ping(), 'PONG')
  fact(await publisher.ping('hello'), 'hello')
  fact(await publisher.echo('hello'), 'hello')
  fact(await publisher.clientGetName(), null)
  fact((await publisher.info()).includes('\r\nredis_mode:standalone\r\n'), true)
  const subscriber = await publisher.duplicate().connect()
  const [plain, pattern, shard] = [mailbox(), mailbox(), mailbox()]

  chapter('subscribing')
  await subscriber.subscribe(['news', 'net'], plain.put)
  await subscriber.pSubscribe('n*', pattern.put)
  await subscriber.sSubscribe('shard', shard.put)

  chapter('publishing: the answer counts each subscription')
  fact(await publisher.publish('news', 'hello'), 2)
  fact(await plain.next(), ['hello', 'news'])
  fact(await pattern.next(), ['hello', 'news'])
  fact(await publisher.publish('nose', ''), 1)
  fact(await pattern.next(), ['', 'nose'])
  fact(await publisher.sPublish('shard', 'piece'), 1)
  fact(await shard.next(), ['piece', 'shard'])
  fact(await publisher.publish('other', 'hello'), 0)
  fact(await publisher.publish('shard', 'hello'), 0)
  fact(await publisher.sPublish('news', 'hello'), 0)

  chapter('asking')
  fact((await publisher.pubSubChannels()).sort(), ['net', 'news'])
  fact(await publisher.pubSubChannels('ne[a-v]*'), ['net'])
  fact({ ...await publisher.pubSubNumSub(['news', 'none']) }, { news: 1, none: 0 })
  fact(await publisher.pubSubNumPat(), 1)
  fact(await publisher.pubSubShardChannels(), ['shard'])
  fact({ ...await publisher.pubSubShardNumSub(['shard', 'news']) }, { shard: 1, news: 0 })

  chapter('a subscriber that does something else')
  if (protocol === 3) {
    fact(await subscriber.ping(), 'PONG')
    fact(await subscriber.publish('net', 'to myself'), 2)
    fact(await plain.next(), ['to myself', 'net'])
    fact(await pattern.next(), ['to myself', 'net'])
  } else {
    fact(await subscriber.ping(), 'pong')
    await fails(subscriber.publish('net', 'to myself'), /in this context/)
  }

  chapter('1 MB')
  fact(await publisher.publish('news', megabyte), 2)
  fact(await plain.next(), [megabyte, 'news'])
  fact(await pattern.next(), [megabyte, 'news'])

  chapter('unsubscribing')
  await subscriber.unsubscribe('news')
  fact(await publisher.publish('news', 'gone'), 1)
  fact(await pattern.next(), ['gone', 'news'])
  await subscriber.pUnsubscribe('n*')
  fact(await publisher.publish('news', 'gone'), 0)
  await subscriber.subscribe('third', plain.put)
  await subscriber.unsubscribe()
  fact(await publisher.publish('net', 'gone'), 0)
  fact(await publisher.publish('third', 'gone'), 0)
  await subscriber.sUnsubscribe('shard')
  fact(await publisher.sPublish('shard', 'gone'), 0)
  await subscriber.pSubscribe(['a*', 'b*'], pattern.put)
  await subscriber.pUnsubscribe()
  await subscriber.sSubscribe('shard', shard.put)
  await subscriber.sUnsubscribe()
  fact(await publisher.pubSubChannels(), [])
  fact(await publisher.pubSubNumPat(), 0)
  fact(await publisher.pubSubShardChannels(), [])
  fact(await subscriber.publish('net', 'a subscriber no more'), 0)

  await binary(publisher)
  await pipelines(publisher)
  await crowd(publisher)
  await pings()

  chapter('quitting')
  fact(plain.size + pattern.size + shard.size, 0)
  await subscriber.subscribe('news', plain.put)
  await subscriber.close()
  await until(async () => await publisher.publish('news', 'gone') === 0)
  fact(await publisher.quit(), 'OK')
}

async function binary(publisher) {
  chapter('bytes of all kinds in messages; in names those of which JavaScript can make a string')
  const subscriber = await connect()
  const heard = mailbox()
  const name = 'line\r\nend\0\u{1F600}'
  await subscriber.subscribe(name, heard.put, true)
  await subscriber.sSubscribe(name, heard.put, true)
  fact(await publisher.publish(name, everyByte), 1)
  fact(await heard.next(), [everyByte, Buffer.from(name)])
  fact(await publisher.sPublish(name, everyByte), 1)
  fact(await heard.next(), [everyByte, Buffer.from(name)])
  fact(await publisher.pubSubChannels(), [name])
  await subscriber.unsubscribe(name)
  fact(await publisher.publish(name, 'gone'), 0)
  await subscriber.pSubscribe('*', heard.put, true)
  fact(await publisher.publish(everyByte, everyByte), 1)
  fact(await heard.next(), [everyByte, everyByte])
  const bytes = publisher.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  fact(await bytes.echo(everyByte), everyByte)
  await subscriber.close()
}

async function pipelines(publisher) {
  chapter('commands of one turn, pipeline, transaction: counts and messages in order')
  const subscriber = await connect()
  const heard = mailbox()
  await subscriber.subscribe('c', heard.put)
  const numbers = Array.from({ length: 100 }, (_, i) => String(i))
  const batch = () => numbers.reduce((multi, n) => multi.publish('c', n), publisher.multi())
  for (const publishAll of [
    () => Promise.all(numbers.map((n) => publisher.publish('c', n))), () => batch().execAsPipeline(), () => batch().exec()]) {
    fact(await publishAll(), numbers.map(() => 1))
    for (const n of numbers) fact(await heard.next(), [n, 'c'])
  }
  await subscriber.close()
}

async function crowd(publisher) {
  chapter('several connections: each has its own subscriptions, and each is counted')
  const ears = Array.from({ length: 20 }, mailbox)
  const crowd = await Promise.all(ears.map(() => publisher.duplicate().connect()))
  await Promise.all(crowd.map((one, i) => one.subscribe('square', ears[i].put)))
  fact(await publisher.publish('square', 'hello'), crowd.length)
  for (const heard of ears) fact(await heard.next(), ['hello', 'square'])
  await crowd[0].unsubscribe('square')
  fact(await publisher.publish('square', 'again'), crowd.length - 1)
  for (const heard of ears.slice(1)) fact(await heard.next(), ['again', 'square'])
  await Promise.all(crowd.map((one) => one.close()))
  fact(ears[0].size, 0)
}

async function pings() {
  chapter('pingInterval, on a subscriber too')
  const client = await connect({ pingInterval: 5 })
  await once(client, 'ping-interval')
  const heard = mailbox()
  await client.subscribe('news', heard.put)
  for (let i = 0; i < 3; i++) await once(client, 'ping-interval')
  await client.unsubscribe('news')
  await once(client, 'ping-interval')
  await client.close()
}

async function restart() {
  chapter('the library subscribes again after a crash of the server')
  const clients = [create(), create()]
  for (const client of clients) await client.on('error', () => {}).connect()
  const [publisher, subscriber] = clients
  const [plain, pattern, shard] = [mailbox(), mailbox(), mailbox()]
  await subscriber.subscribe(['news', 'net'], plain.put)
  await subscriber.pSubscribe('p*', pattern.put)
  await subscriber.sSubscribe(['shard', 'piece'], shard.put)
  await serverRestarts()
  for (const [send, channel, heard] of [
    ['publish', 'news', plain], ['publish', 'net', plain], ['publish', 'ping', pattern],
    ['sPublish', 'shard', shard], ['sPublish', 'piece', shard]]) {
    await until(async () => await publisher[send](channel, 'after').catch(() => 0) === 1)
    fact(await heard.next(), ['after', channel])
  }
  await subscriber.unsubscribe(['news', 'net'])
  fact(await publisher.publish('news', 'gone'), 0)
  await Promise.all(clients.map((client) => client.close()))
}

async function password() {
  chapter('the right password, alone and with the user it belongs to')
  for (const options of [{ password: 'secret' }, { username: 'default', password: 'secret' }]) {
    const client = await connect({ ...options, name: 'me', database: 3 })
    const heard = mailbox()
    await client.subscribe('news', heard.put)
    const other = await client.duplicate().connect()
    fact(await other.publish('news', 'hello'), 1)
    fact(await heard.next(), ['hello', 'news'])
    fact(await other.clientGetName(), 'me')
    await Promise.all([client.close(), other.close()])
  }
  const url = await createClient({ url: `redis://:secret@${address.host}:${address.port}`, ...protocolOption('RESP') }).connect()
  fact(await url.ping(), 'PONG')
  await url.close()

  chapter('the wrong password, the wrong user, none')
  for (const [options, pattern] of [
    [{ password: 'guess' }, /WRONGPASS/], [{ username: 'nobody', password: 'secret' }, /WRONGPASS/], [{}, /NOAUTH/]]) {
    const client = create({ ...options, socket: { ...address, reconnectStrategy: false } }).on('error', () => {})
    await fails(client.connect().then(() => client.ping()), pattern)
    if (client.isOpen) client.destroy()
  }
}

await run(packageName === 'redis5' ? 2 : 3, { pubsub, restart, password })
