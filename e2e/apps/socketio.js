// A Socket.IO chat of two server processes and six visitors. Arguments: those of chat-server.js.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createClient } from 'redis'
import { io } from 'socket.io-client'
import { fact, restartServer, same, until } from './facts.js'

const [adapter, library, port] = process.argv.slice(2)

// ChatServer is a process of chat-server.js.
class ChatServer {
  static async start() {
    const server = new ChatServer()
    server.process = fork(new URL('chat-server.js', import.meta.url), [adapter, library, port])
    server.waiting = new Map()
    const [{ port: httpPort }] = await once(server.process, 'message')
    server.url = `http://127.0.0.1:${httpPort}`
    server.process.on('message', ({ id, result, error }) => {
      const { resolve, reject } = server.waiting.get(id)
      server.waiting.delete(id)
      error === undefined ? resolve(result) : reject(new Error(error))
    })
    return server
  }

  // do has the process execute one of its ops.
  do(op, ...args) {
    return new Promise((resolve, reject) => {
      const id = ++ChatServer.lastId
      this.waiting.set(id, { resolve, reject })
      this.process.send({ id, op, args })
    })
  }

  static lastId = 0
}

// Visitor is a browser: it keeps what it heard until told is called.
class Visitor {
  static async enter(server, name) {
    const visitor = new Visitor()
    visitor.name = name
    visitor.heard = []
    visitor.socket = io(server.url, { auth: { name }, reconnection: false })
    visitor.socket.on('heard', (what) => visitor.heard.push(Buffer.isBuffer(what) ? what.toString('hex') : what))
    visitor.socket.on('question', (text, answer) => answer(`${name}: ${text}`))
    visitor.socket.on('disconnect', () => visitor.heard.push('the end'))
    await once(visitor.socket, 'connect')
    return visitor
  }

  ask(...event) {
    return this.socket.timeout(10_000).emitWithAck(...event)
  }
}

const [one, two] = await Promise.all([ChatServer.start(), ChatServer.start()])
const visitors = await Promise.all([
  Visitor.enter(one, 'ann'),
  Visitor.enter(one, 'bob'),
  Visitor.enter(one, 'cem'),
  Visitor.enter(two, 'dia'),
  Visitor.enter(two, 'eve'),
  Visitor.enter(two, 'fox'),
])
const [ann, bob, , dia, eve, fox] = visitors
const observer = await createClient({ socket: { host: '127.0.0.1', port: Number(port) } })
  .on('error', () => {})
  .connect()

// heard waits until the visitors heard these and nothing else, in this order; who is not named heard nothing.
async function heard(expected) {
  await until(
    visitors.map(({ name }) => expected[name] ?? []),
    () => visitors.map((visitor) => visitor.heard),
  )
  for (const visitor of visitors) visitor.heard = []
}

const all = (...what) => Object.fromEntries(visitors.map(({ name }) => [name, what]))

// inRoom waits until that many servers listen for the room. The sharded adapter subscribes when the first visitor
// joins, and does not wait for the confirmation.
async function inRoom(room, servers) {
  if (adapter === 'sharded') {
    const channel = `socket.io#/#${room}#`
    await until([channel, servers], () => observer.sendCommand(['PUBSUB', 'SHARDNUMSUB', channel]))
  }
}

await fact('each server counts two', async () => {
  await until(2, () => one.do('serverCount'))
  await until(2, () => two.do('serverCount'))
})

await fact('what is said to all reaches the visitors of both servers', async () => {
  await one.do('emitToAll', 'heard', 'hello')
  await heard(all('hello'))
  await two.do('emitToAll', 'heard', 'hi')
  await heard(all('hi'))
})

await fact('bytes arrive as they are', async () => {
  await one.do('emitBytes', 'heard', '00ff0d0a80')
  await heard(all('00ff0d0a80'))
})

await fact('what is said to a room reaches who is in it, on both servers, in order', async () => {
  await Promise.all([ann, bob, dia, eve].map((visitor) => visitor.ask('join', 'lobby')))
  await inRoom('lobby', 2)
  for (let i = 1; i <= 100; i++) await one.do('emit', 'lobby', 'heard', i)
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  await heard({ ann: hundred, bob: hundred, dia: hundred, eve: hundred })
})

await fact('who speaks does not hear it', async () => {
  await ann.ask('say', 'lobby', 'from ann')
  await heard({ bob: ['from ann'], dia: ['from ann'], eve: ['from ann'] })
})

await fact('who is in the room but in another one too can be left out', async () => {
  await Promise.all([bob, eve].map((visitor) => visitor.ask('join', 'quiet')))
  await two.do('emitExcept', 'lobby', 'quiet', 'heard', 'psst')
  await two.do('emit', 'lobby', 'heard', 'loud')
  await heard({ ann: ['psst', 'loud'], bob: ['loud'], dia: ['psst', 'loud'], eve: ['loud'] })
})

await fact('each server knows who is in a room', async () => {
  for (const server of [one, two]) {
    same(await server.do('names', 'lobby'), ['ann', 'bob', 'dia', 'eve'])
    same(await server.do('names', 'quiet'), ['bob', 'eve'])
    same(await server.do('names', 'empty'), [])
  }
})

await fact('all in a room answer a question, on both servers', async () => {
  const answers = await one.do('emitWithAck', 'lobby', 'question', 'here?')
  same(answers.sort(), ['ann: here?', 'bob: here?', 'dia: here?', 'eve: here?'])
})

await fact('a server asks the other one', async () => {
  same(await one.do('askServers', 'who'), [`who: ${two.process.pid}`])
  same(await two.do('askServers', 'who'), [`who: ${one.process.pid}`])
})

await fact('who leaves a room hears no more of it', async () => {
  await eve.ask('leave', 'lobby')
  await one.do('emit', 'lobby', 'heard', 'without eve')
  await heard({ ann: ['without eve'], bob: ['without eve'], dia: ['without eve'] })
  await one.do('emitToAll', 'heard', 'with eve')
  await heard(all('with eve'))
})

await fact('a server moves the visitors of both into a room and out of it', async () => {
  await one.do('move', 'lobby', 'stage')
  for (const server of [one, two]) await until(['ann', 'bob', 'dia'], () => server.do('names', 'stage'))
  await inRoom('stage', 2)
  await two.do('emit', 'stage', 'heard', 'curtain')
  await heard({ ann: ['curtain'], bob: ['curtain'], dia: ['curtain'] })
  await two.do('remove', 'lobby', 'stage')
  for (const server of [one, two]) await until([], () => server.do('names', 'stage'))
  await inRoom('stage', 0)
  await inRoom('lobby', 2)
})

await fact('the chat goes on when the server was killed and is there again', async () => {
  await restartServer()
  for (const server of [one, two]) await until(2, () => server.do('serverCount'))
  await inRoom('lobby', 2)
  for (const [from, to] of [[one, dia], [two, ann]]) {
    await until(true, async () => {
      await from.do('emit', 'lobby', 'heard', 'again')
      return to.heard.includes('again')
    })
  }
  for (const server of [one, two]) {
    await until(['ann', 'bob', 'cem', 'dia', 'eve', 'fox'], () => server.do('names', []))
  }
})

await fact('a server disconnects the visitors of both', async () => {
  await Promise.all([ann, fox].map((visitor) => visitor.ask('join', 'exit')))
  await two.do('disconnect', 'exit')
  await until([true, true], () => [ann, fox].map(({ heard }) => heard.includes('the end')))
  for (const server of [one, two]) await until(['bob', 'cem', 'dia', 'eve'], () => server.do('names', []))
})

await fact('a server that dies is counted out, and the other one tells who is left', async () => {
  two.process.kill('SIGKILL')
  await until(1, () => one.do('serverCount'))
  same(await one.do('names', []), ['bob', 'cem'])
  same(await one.do('names', 'lobby'), ['bob'])
})

process.exit(0)
