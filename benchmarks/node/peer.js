// The same smallest chat on Socket.IO for Node, with its defaults: node peer.js PORT
const http = require("http");
const { Server } = require("socket.io");

const server = http.createServer();
const io = new Server(server);
io.on("connection", (socket) => {
  socket.on("join", (data, done) => {
    socket.join(data.group);
    if (done) done("ok");
  });
  socket.on("message", (data) => io.to(data.group).emit("message", data));
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
