#include <lmdb.h>
// statfs(2), for refusing network file systems: not part of Swift's Glibc module.
#include <sys/vfs.h>
