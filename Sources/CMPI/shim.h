#ifndef CMPI_SHIM_H
#define CMPI_SHIM_H

#include <mpi.h>

// Functions for what is a macro, which Swift does not see, in one MPI or another.

/// Begins; the calls come from one thread at a time. 0 where all is well.
static inline int seismo_mpi_begin(int *rank, int *count) {
  int provided = 0;
  int code = MPI_Init_thread(0, 0, MPI_THREAD_SERIALIZED, &provided);
  if (code != MPI_SUCCESS) return code;
  if (provided < MPI_THREAD_SERIALIZED) return MPI_ERR_OTHER;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  return MPI_Comm_size(MPI_COMM_WORLD, count);
}

/// Room for the two requests of an exchange, which are pointers in one MPI and numbers in another.
static inline long seismo_mpi_requests_size(void) { return 2 * sizeof(MPI_Request); }

/// Begins to send to `partner` and to take from it, in the order of the calls.
static inline int seismo_mpi_exchange(
    int partner, const void *sent, int sentCount, void *taken, int takenCount, void *room) {
  MPI_Request *requests = (MPI_Request *)room;
  requests[0] = requests[1] = MPI_REQUEST_NULL;
  if (takenCount > 0) {
    int code =
        MPI_Irecv(taken, takenCount, MPI_BYTE, partner, 0, MPI_COMM_WORLD, &requests[0]);
    if (code != MPI_SUCCESS) return code;
  }
  if (sentCount == 0) return MPI_SUCCESS;
  return MPI_Isend(sent, sentCount, MPI_BYTE, partner, 0, MPI_COMM_WORLD, &requests[1]);
}

/// Gets on with both; `isDone` becomes 1 when they have ended.
static inline int seismo_mpi_test(void *room, int *isDone) {
  return MPI_Testall(2, (MPI_Request *)room, isDone, MPI_STATUSES_IGNORE);
}

/// The room that a host's name takes, its end included.
static inline int seismo_mpi_host_size(void) { return MPI_MAX_PROCESSOR_NAME; }

/// Has every rank know all hosts' names, one after another in the order of the ranks.
static inline int seismo_mpi_hosts(char *names) {
  char own[MPI_MAX_PROCESSOR_NAME] = {0};
  int length = 0;
  MPI_Get_processor_name(own, &length);
  return MPI_Allgather(
      own, MPI_MAX_PROCESSOR_NAME, MPI_CHAR, names, MPI_MAX_PROCESSOR_NAME, MPI_CHAR,
      MPI_COMM_WORLD);
}

/// Says a word, from 1, to a rank that may be stopped: waits for nothing.
static inline void seismo_mpi_say(int rank, int word) {
  static const char nothing = 0;
  MPI_Request request;
  if (MPI_Isend(&nothing, 0, MPI_BYTE, rank, word, MPI_COMM_WORLD, &request) == MPI_SUCCESS)
    MPI_Request_free(&request);
}

/// Takes a word that somebody has said; the rank that did, or -1.
static inline int seismo_mpi_hear(int word) {
  int isSaid = 0;
  MPI_Status status;
  char nothing;
  int code = MPI_Iprobe(MPI_ANY_SOURCE, word, MPI_COMM_WORLD, &isSaid, &status);
  if (code != MPI_SUCCESS || !isSaid) return -1;
  MPI_Recv(
      &nothing, 0, MPI_BYTE, status.MPI_SOURCE, word, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  return status.MPI_SOURCE;
}

/// Waits for all ranks and leaves them.
static inline void seismo_mpi_finish(void) {
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
}

/// Ends every rank at once.
static inline void seismo_mpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

#endif
