#ifndef CDESCRIPTORS_H
#define CDESCRIPTORS_H

// Descriptors that no child process inherits from the moment they are there. The C library shows
// these calls to GNU sources alone, which Swift's are not.

/// As accept(2) of a connection's address nobody asks for.
int seismo_accept(int listener);

/// As pipe(2), with two ends that do not block.
int seismo_pipe(int ends[2]);

/// The account at the other end of a Unix socket; -1 where the system does not say.
long long seismo_peer_user(int descriptor);

#endif
