#define _GNU_SOURCE
#include "CDescriptors.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

int seismo_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

int seismo_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

long long seismo_peer_user(int descriptor) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
  return peer.uid;
}
