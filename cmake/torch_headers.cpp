// The target that owns the precompiled libtorch header needs one source file.
