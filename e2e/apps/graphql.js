// GraphQL subscriptions over graphql-redis-subscriptions: two API servers with connections of their own, one that
// readers subscribe to and one that executes the mutations. Arguments: whose ioredis, the package's own (5) or the
// current one (6) handed to it; and the port.

import { execute, buildSchema, parse, subscribe } from 'graphql'
import { RedisPubSub } from 'graphql-redis-subscriptions'
import { withFilter } from 'graphql-subscriptions'
import { Redis } from 'ioredis'
import { fact, restartServer, same, until } from './facts.js'

const [library, port] = process.argv.slice(2)
const connection = { host: '127.0.0.1', port: Number(port) }

// apiServer returns a schema and its RedisPubSub. Messages of a chat are triggers, so channels, of that chat's name.
function apiServer() {
  const options = { connection, connectionListener: () => {} }
  if (library === 'current') {
    options.publisher = new Redis(connection).on('error', () => {})
    options.subscriber = new Redis(connection).on('error', () => {})
  }
  const pubsub = new RedisPubSub(options)
  const schema = buildSchema(`
    type Message { chat: String!, text: String! }
    type Query { nothing: String }
    type Mutation { say(chat: String!, text: String!): Boolean! }
    type Subscription {
      inChat(chat: String!): Message!
      inChats(pattern: String!): Message!
      mentions(chat: String!, name: String!): Message!
    }`)
  const subscriptions = schema.getSubscriptionType().getFields()
  subscriptions.inChat.subscribe = (_, { chat }) => pubsub.asyncIterableIterator(chat)
  subscriptions.inChats.subscribe = (_, args) => pubsub.asyncIterableIterator(args.pattern, { pattern: true })
  subscriptions.mentions.subscribe = withFilter(
    (_, { chat }) => pubsub.asyncIterableIterator(chat),
    ({ mentions }, { name }) => mentions.text.includes(name),
  )
  schema.getMutationType().getFields().say.resolve = async (_, { chat, text }) => {
    const message = { chat, text }
    await pubsub.publish(chat, { inChat: message, inChats: message, mentions: message })
    return true
  }
  return { schema, pubsub }
}

const readers = apiServer()
const writers = apiServer()
const observer = new Redis(connection).on('error', () => {})

// Reader is one who subscribed; heard grows.
class Reader {
  static async open(query) {
    const reader = new Reader()
    reader.heard = []
    reader.results = await subscribe({ schema: readers.schema, document: parse(`subscription { ${query} { chat text } }`) })
    reader.ended = reader.read()
    return reader
  }

  async read() {
    for await (const { data, errors } of this.results) {
      const [{ chat, text }] = errors ?? Object.values(data)
      this.heard.push(`${chat}: ${text}`)
    }
  }

  async close() {
    await this.results.return()
    await this.ended
  }
}

async function say(chat, text) {
  const document = parse('mutation($chat: String!, $text: String!) { say(chat: $chat, text: $text) }')
  const { data } = await execute({ schema: writers.schema, document, variableValues: { chat, text } })
  same(data.say, true)
}

const subscribers = async (channel) => (await observer.pubsub('NUMSUB', channel))[1]
const patterns = () => observer.pubsub('NUMPAT')

// confirmed waits until the server has the subscription and the package knows it has: it drops what comes before. A
// second subscription to the same trigger waits for the first one's confirmation.
async function confirmed(trigger, options) {
  await until(1, options?.pattern ? patterns : () => subscribers(trigger))
  readers.pubsub.unsubscribe(await readers.pubsub.subscribe(trigger, () => {}, options))
}

async function heard(reader, ...texts) {
  await until(texts, () => reader.heard)
  reader.heard = []
}

let first, second

await fact('a subscription is one at the server, and two to the same are still one', async () => {
  first = await Reader.open('inChat(chat: "tea")')
  await confirmed('tea')
  second = await Reader.open('inChat(chat: "tea")')
  await say('tea', 'both?')
  await heard(first, 'tea: both?')
  await heard(second, 'tea: both?')
  same(await subscribers('tea'), 1)
})

await fact("messages come in order, and no other chat's", async () => {
  const numbers = Array.from({ length: 100 }, (_, i) => String(i))
  for (const number of numbers) {
    await say('coffee', number)
    await say('tea', number)
  }
  await heard(first, ...numbers.map((number) => `tea: ${number}`))
  await heard(second, ...numbers.map((number) => `tea: ${number}`))
})

await fact('text of any script arrives', async () => {
  await say('tea', 'çay, 茶, 🍵, \u0000\r\n')
  await heard(first, 'tea: çay, 茶, 🍵, \u0000\r\n')
  await heard(second, 'tea: çay, 茶, 🍵, \u0000\r\n')
})

await fact('a subscription with a filter gets what passes it', async () => {
  const mentioned = await Reader.open('mentions(chat: "cake", name: "ann")')
  await confirmed('cake')
  await say('cake', 'who wants one?')
  await say('cake', 'you, ann?')
  await heard(mentioned, 'cake: you, ann?')
  await mentioned.close()
  await until(0, () => subscribers('cake'))
})

await fact('the server forgets a channel when its last subscription ends, not before', async () => {
  await first.close()
  await say('tea', 'still here?')
  await heard(second, 'tea: still here?')
  same([await subscribers('tea'), first.heard], [1, []])
  await second.close()
  await until(0, () => subscribers('tea'))
})

await fact('a pattern hears the chats that match', async () => {
  first = await Reader.open('inChats(pattern: "team.*")')
  await confirmed('team.*', { pattern: true })
  await say('team.red', '1')
  await say('teams', '2')
  await heard(first, 'team.red: 1')
  await say('team.blue', '3')
  await heard(first, 'team.blue: 3')
})

await fact('a pattern and a channel of one name are two, and each ends without the other', async () => {
  second = await Reader.open('inChat(chat: "team.red")')
  await confirmed('team.red')
  await say('team.red', 'to both')
  await heard(first, 'team.red: to both')
  await heard(second, 'team.red: to both')
  await first.close()
  await until(0, patterns)
  await say('team.red', 'to one')
  await heard(second, 'team.red: to one')
})

await fact('subscriptions go on when the server was killed and is there again', async () => {
  first = await Reader.open('inChats(pattern: "team.b*")')
  await confirmed('team.b*', { pattern: true })
  await restartServer()
  await until([1, 1], async () => [await subscribers('team.red'), await patterns()])
  await say('team.red', 'again')
  await heard(second, 'team.red: again')
  await say('team.blue', 'again')
  await heard(first, 'team.blue: again')
})

await fact('nothing is left when all subscriptions have ended', async () => {
  await Promise.all([first.close(), second.close()])
  await until([0, 0, []], async () => [await subscribers('team.red'), await patterns(), await observer.pubsub('CHANNELS')])
})

await fact('the connections end politely', async () => {
  same(await Promise.all([readers, writers].map(({ pubsub }) => pubsub.close())), [['OK', 'OK'], ['OK', 'OK']])
  same(await observer.quit(), 'OK')
})

process.exit(0)
