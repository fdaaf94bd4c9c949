#pragma once

/// The commit that was built, with a plus where files were changed since; empty where none is known.
const char *_Nonnull seismo_commit(void);

/// The vectors that the engine was built for: avx512, avx2 or plain.
const char *_Nonnull seismo_vector(void);
