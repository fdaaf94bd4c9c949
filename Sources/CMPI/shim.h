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

/// Waits for all ranks and leaves them.
static inline void seismo_mpi_finish(void) {
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
}

/// Ends every rank at once.
static inline void seismo_mpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

#endif
