/* beside - where our other programs are */
#include "lib/beside.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool beside_program(const char *name, char path_r[PATH_MAX])
{
    static const char *const folders[] = {"", "../sbin/"};
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    self[len > 0 ? len : 0] = '\0';
    for (size_t n = 0; n < sizeof folders / sizeof *folders; n++) {
        const char *slash = strrchr(self, '/');
        int folder_len = slash != NULL ? (int)(slash + 1 - self) : 0;
        int path_len = snprintf(path_r, PATH_MAX, "%.*s%s%s", folder_len, self, folders[n], name);

        if (path_len > 0 && path_len < PATH_MAX && access(path_r, X_OK) == 0)
            return true;
    }
    return false;
}
