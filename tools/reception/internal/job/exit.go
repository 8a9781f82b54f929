package job

// keepArgument makes the executable a keeper.
const keepArgument = "keep-job"

// exitCannotStart is a keeper's exit status where there was nothing to keep.
const exitCannotStart = 126
