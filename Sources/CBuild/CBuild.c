#include "CBuild.h"

#ifndef SEISMO_COMMIT
#define SEISMO_COMMIT ""
#endif

const char *seismo_commit(void) { return SEISMO_COMMIT; }

const char *seismo_vector(void) { return SEISMO_VECTOR; }
