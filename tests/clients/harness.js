// Original peer-relay clients in one process, driven by JSON lines: a command per line of stdin, an
// event per line of stdout. An exception that a client lets escape ends the process, as it would end
// the program of its user.
'use strict'

const readline = require('readline')
const PeerRelay = require('peer-relay')

const clients = new Map()

function tell (event) {
  process.stdout.write(JSON.stringify(event) + '\n')
}

function idOf (client) {
  return client.id.toString('hex')
}

const commands = {
  open ({ name, bootstrap, port }) {
    const client = new PeerRelay({ bootstrap, port })
    clients.set(name, client)
    client.on('peer', (id) => tell({ event: 'peer', name, id: id.toString('hex') }))
    client.on('message', (data, from) => {
      tell({ event: 'message', name, from: from.toString('hex'), data })
    })
    tell({ event: 'open', name, id: idOf(client) })
  },
  // `count` clients that count what they get: name0, name1, ...
  crowd ({ name, bootstrap, count }) {
    for (let i = 0; i < count; i++) {
      const client = new PeerRelay({ bootstrap })
      client.got = []
      client.named = 0
      client.on('peer', () => { client.named++ })
      client.on('message', (data, from) => client.got.push([from.toString('hex'), data]))
      clients.set(name + i, client)
    }
    tell({ event: 'crowd', name })
  },
  // How many of a crowd have a peer.
  joined ({ name, count }) {
    let joined = 0
    for (let i = 0; i < count; i++) if (clients.get(name + i).named > 0) joined++
    tell({ event: 'joined', name, joined })
  },
  // Client i of a crowd sends to client i + step.
  round ({ name, count, step }) {
    for (let i = 0; i < count; i++) {
      clients.get(name + i).got = []
    }
    for (let i = 0; i < count; i++) {
      clients.get(name + i).send(clients.get(name + (i + step) % count).id, { from: i })
    }
    tell({ event: 'round', name })
  },
  // How many got exactly the one message that they should, and how many messages there were.
  score ({ name, count, step }) {
    let right = 0
    let messages = 0
    for (let i = 0; i < count; i++) {
      const sender = (i + count - step) % count
      const got = clients.get(name + i).got
      messages += got.length
      if (got.length === 1 && got[0][1].from === sender &&
          got[0][0] === idOf(clients.get(name + sender))) right++
    }
    tell({ event: 'score', name, right, messages })
  },
  socket ({ name, bootstrap }) {
    const socket = new PeerRelay.Socket({ bootstrap })
    clients.set(name, socket)
    socket.on('message', (buffer, rinfo) => {
      tell({ event: 'datagram', name, hex: buffer.toString('hex'), rinfo })
    })
    socket.bind(0, () => tell({ event: 'listening', name, address: socket.address() }))
  },
  datagram ({ name, hex, address, port }) {
    const buffer = Buffer.from(hex, 'hex')
    clients.get(name).send(buffer, 0, buffer.length, port, address)
  },
  send ({ name, to, data, times }) {
    for (let i = 0; i < (times || 1); i++) clients.get(name).send(Buffer.from(to, 'hex'), data)
  },
  connect ({ name, to }) {
    clients.get(name).connect(Buffer.from(to, 'hex'))
  },
  disconnect ({ name, to }) {
    clients.get(name).disconnect(Buffer.from(to, 'hex'))
  },
  // The ids that a client could connect to.
  candidates ({ name }) {
    const ids = clients.get(name).canidates.toArray().map((entry) => entry.id.toString('hex'))
    tell({ event: 'candidates', name, ids })
  },
  // A signal as a WebRTC peer would send it.
  signal ({ name, to, data }) {
    clients.get(name).router.send(Buffer.from(to, 'hex'), { type: 'signal', data })
  },
  // From now on the client says in handshakes that it can do WebRTC, and tells of signals.
  wrtc ({ name }) {
    const connector = clients.get(name).wrtcConnector
    connector.supported = true
    connector.connect = (id) => tell({ event: 'wrtc', name, id: id.toString('hex') })
    connector._onSignal = (data, from) => {
      tell({ event: 'signal', name, from: from.toString('hex'), data })
    }
  },
  move ({ name, url }) {
    const client = clients.get(name)
    for (const channel of client.peers.toArray()) channel.destroy()
    client.wsConnector.connect(url)
  },
  join ({ name, url }) {
    clients.get(name).wsConnector.connect(url)
  },
  close ({ name }) {
    const client = clients.get(name)
    clients.delete(name)
    // Without a port, Socket.close ends with an exception in the original.
    const peer = client.peer || client
    peer.destroy(() => {})
    tell({ event: 'destroyed', name })
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line)
  commands[command.do](command)
}).on('close', () => process.exit(0))
tell({ event: 'ready', node: process.versions.node })
