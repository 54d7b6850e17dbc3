#include <lmdb.h>
// statfs(2), for refusing network file systems: not part of Swift's Glibc module.
#include <sys/vfs.h>
// renameat2(2), for exchanging two directories at once: <stdio.h> declares it only for _GNU_SOURCE.
extern int renameat2(int, const char *, int, const char *, unsigned int);
