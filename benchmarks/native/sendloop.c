// sendloop: the limit of a one-core fan-out. Accepts bare TCP connections (wsload --proto raw); each inbound masked
// WebSocket text frame is unmasked and re-framed once, then the same bytes are written to every connection with send().
// usage: sendloop PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
static int fds[65536], nf; static uint64_t nblock;
static void fan_send(const void *b, size_t n) { for (int i = 0; i < nf; i++) if (send(fds[i], b, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n) nblock++; }
int main(int argc, char **argv) {
  int port = atoi(argv[1]);
  struct rlimit rl; getrlimit(RLIMIT_NOFILE, &rl); rl.rlim_cur = rl.rlim_max; setrlimit(RLIMIT_NOFILE, &rl);
  int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1; setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, 4);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)}; if (bind(l, (void *)&a, sizeof a) || listen(l, 4096)) { perror("bind"); return 1; }
  int ep = epoll_create1(0); struct epoll_event ev = {.events = EPOLLIN, .data.fd = l}, E[256]; epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev);
  static uint8_t in[65536], outb[1 << 20];
  for (;;) {
    int n = epoll_wait(ep, E, 256, -1); size_t ol = 0;
    for (int i = 0; i < n; i++) {
      if (E[i].data.fd == l) { int f; while ((f = accept4(l, 0, 0, SOCK_NONBLOCK)) >= 0) { setsockopt(f, IPPROTO_TCP, TCP_NODELAY, &one, 4); fds[nf++] = f; ev.events = EPOLLIN; ev.data.fd = f; epoll_ctl(ep, EPOLL_CTL_ADD, f, &ev); } continue; }
      ssize_t r = recv(E[i].data.fd, in, sizeof in, 0);
      if (r == 0 || (r < 0 && errno != EAGAIN)) { for (int k = 0; k < nf; k++) if (fds[k] == E[i].data.fd) { fds[k] = fds[--nf]; break; } close(E[i].data.fd); continue; }
      uint8_t *p = in;
      while (r >= 6) {
        size_t len = p[1] & 127, h = 2; if (len == 126) { len = p[2] << 8 | p[3]; h = 4; }
        if ((size_t)r < h + 4 + len) break;
        uint8_t *m = p + h, *d = m + 4; uint8_t *o = outb + ol; o[0] = 0x81; size_t oh = 2; if (len < 126) o[1] = len; else { o[1] = 126; o[2] = len >> 8; o[3] = len; oh = 4; }
        for (size_t k = 0; k < len; k++) o[oh + k] = d[k] ^ m[k & 3];
        ol += oh + len; p += h + 4 + len; r -= h + 4 + len;
        fan_send(outb, ol); ol = 0;
      }
    }
    if (nblock > 1000000) { fprintf(stderr, "blocked %lu\n", nblock); nblock = 0; }
  }
}
