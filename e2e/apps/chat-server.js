// One process of a Socket.IO chat, as a company runs several behind a balancer. Arguments: the adapter (classic or
// sharded), its client library (redis or ioredis) and the port of the Redis server. The parent process gets the HTTP
// port as the first message, and then an answer to each { id, op, args } that it sends.

import { createServer } from 'node:http'
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { Server } from 'socket.io'

const [adapter, library, redisPort] = process.argv.slice(2)

async function connect() {
  let client
  if (library === 'redis') {
    client = createClient({ socket: { host: '127.0.0.1', port: Number(redisPort) } })
  } else {
    client = new Redis({ host: '127.0.0.1', port: Number(redisPort), lazyConnect: true })
  }
  client.on('error', () => {}) // the library connects again by itself
  await client.connect()
  return client
}

const [pub, sub] = [await connect(), await connect()]
const http = createServer()
const io = new Server(http, {
  adapter: adapter === 'sharded' ? createShardedAdapter(pub, sub) : createAdapter(pub, sub),
})

io.on('connection', (socket) => {
  socket.data.name = socket.handshake.auth.name
  socket.on('join', (room, done) => done(socket.join(room)))
  socket.on('leave', (room, done) => done(socket.leave(room)))
  socket.on('say', (room, text, done) => done(socket.to(room).emit('heard', text)))
})
io.on('whoami', (question, answer) => answer(`${question}: ${process.pid}`))

const ops = {
  emit: (room, ...event) => io.to(room).emit(...event),
  emitToAll: (...event) => io.emit(...event),
  emitBytes: (event, hex) => io.emit(event, Buffer.from(hex, 'hex')),
  emitExcept: (room, except, ...event) => io.to(room).except(except).emit(...event),
  emitWithAck: (room, ...event) => io.to(room).timeout(5_000).emitWithAck(...event),
  names: async (room) => (await io.in(room).fetchSockets()).map((socket) => socket.data.name).sort(),
  move: (room, to) => io.in(room).socketsJoin(to),
  remove: (room, from) => io.in(room).socketsLeave(from),
  disconnect: (room) => io.in(room).disconnectSockets(true),
  serverCount: () => io.of('/').adapter.serverCount(),
  askServers: (question) => io.serverSideEmitWithAck('whoami', question),
}

// What only acts answers nothing: io's chains and promises are not for another process.
const telling = new Set(['emitWithAck', 'names', 'serverCount', 'askServers'])

process.on('message', async ({ id, op, args }) => {
  try {
    const result = await ops[op](...args)
    process.send({ id, result: telling.has(op) ? result : undefined })
  } catch (error) {
    process.send({ id, error: error.message })
  }
})
process.on('disconnect', () => process.exit(0))

http.listen(0, '127.0.0.1', () => process.send({ port: http.address().port }))
