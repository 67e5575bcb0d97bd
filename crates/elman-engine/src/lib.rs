//! Schedule and numbers in, outputs and gradients out. Knows no file and no task.
