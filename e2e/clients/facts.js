// What the Node programs share. A program is called as
//
//     node ioredis.js PACKAGE PROTOCOL PART PORT
//
// where PROTOCOL is "default", "2" or "3" and PART one of its parts. It ends with code 0 if all its facts hold, and by
// itself: a connection that the library cannot close keeps it alive until the test's deadline. The chapters that it
// prints tell where it stopped.

import { deepStrictEqual } from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

const [protocolName, partName, portName] = process.argv.slice(3)

export const packageName = process.argv[2]
export const library = await import(packageName)
export const address = { host: '127.0.0.1', port: Number(portName) }

/** Every byte value, and line ends where a sloppy parser would look for them. */
export const everyByte = Buffer.concat([Buffer.from('\r\n$-1\r\n'), Buffer.from(Array.from({ length: 256 }, (_, i) => i)), Buffer.from('\r\n')])

/** A message of 1 MB that differs all along. */
export const megabyte = Array.from({ length: 1e6 / 8 }, (_, i) => String(i).padStart(7, '0') + ';').join('')

export const chapter = (title) => console.error(`# ${title}`)

/** Ends the program if got is not want. */
export const fact = (got, want) => deepStrictEqual(got, want)

/** Ends the program unless the promise is rejected with a message that matches. */
export async function fails(promise, pattern) {
  const outcome = await promise.then((value) => `success: ${value}`, (error) => error.message)
  if (!pattern.test(outcome)) fact(outcome, pattern)
}

/** Polls until the condition holds: what a library does in its background has no event to wait for. */
export async function until(condition) {
  while (!await condition()) await pause(10)
}

/** A mailbox keeps what a listener gets, as arrays of the listener's arguments, for facts to read one by one. */
export function mailbox() {
  const letters = []
  let arrived = () => {}
  return {
    put: (...letter) => { letters.push(letter); arrived() },
    async next() {
      while (letters.length === 0) await new Promise((resolve) => { arrived = resolve })
      return letters.shift()
    },
    get size() { return letters.length },
  }
}

/** Has the test kill the server and start it again on its port. */
export async function serverRestarts() {
  console.log('ready')
  await once(process.stdin, 'data')
  process.stdin.destroy()
}

/** Runs the part of the program that the command line names, with the number of the protocol. */
export function run(defaultProtocol, parts) {
  return parts[partName](protocolName === 'default' ? defaultProtocol : Number(protocolName))
}

/** What a library's options say of the protocol: nothing by default. */
export const protocolOption = (name) => protocolName === 'default' ? {} : { [name]: Number(protocolName) }
