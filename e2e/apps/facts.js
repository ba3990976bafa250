// What the programs of this folder share. A program is a list of facts, told one by one as they come true; it ends
// with code 1 at the first that does not. Its last argument is the port of the server on 127.0.0.1.

import assert from 'node:assert/strict'
import readline from 'node:readline'

// patienceMs bounds every wait; a healthy server needs a small part of it.
const patienceMs = 15_000

// pollMs is how often a state is looked at that tells nobody when it changes.
const pollMs = 10

export const same = assert.deepEqual

export async function fact(text, isTrue) {
  try {
    await isTrue()
  } catch (error) {
    console.log(`NOT TRUE: ${text}\n${error.stack}`)
    process.exit(1)
  }
  console.log(`true: ${text}`)
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// until waits for a state: the value of look() is deeply equal to want. What look throws while a connection is broken
// is a state too.
export async function until(want, look) {
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(pollMs)) {
    try {
      same(await look(), want)
      return
    } catch {
      // not yet
    }
  }
  same(await look(), want)
}

const answers = readline.createInterface({ input: process.stdin })

// restartServer asks the test to kill the server and to start it again, and returns when it runs.
export function restartServer() {
  return new Promise((resolve) => {
    answers.once('line', resolve)
    console.log('ready')
  })
}

// An exception in a callback, or a promise that is rejected where nobody waits, is no success.
process.on('uncaughtException', (error) => {
  console.log(`NOT CAUGHT: ${error.stack}`)
  process.exit(1)
})
