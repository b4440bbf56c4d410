// Dials a server of its own, and prints the addresses that the server sees.
const net = require('net')
const times = 50
let left = times
const server = net.createServer(socket => {
  console.log(socket.remoteAddress.replace('::ffff:', ''))
  socket.end()
  if (--left === 0) server.close()
})
server.listen(0, () => {
  for (let i = 0; i < times; i++) net.connect(server.address().port, '127.0.0.1').on('end', function () { this.end() }).resume()
})
