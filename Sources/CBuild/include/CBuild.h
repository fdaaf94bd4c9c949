#pragma once

/// The commit that was built, with a plus where files were changed since; empty where none is known.
const char *_Nonnull seismo_commit(void);
