/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: three small files in its directory, bound over the image's.
 */
#include "engine/engine_private.h"

#include <fcntl.h>

#define HOST_FILE_MAX (64 * 1024)

/* Plain create: the directory is ours alone, the umask is 022 (start.c), and the container does not run yet. */
static int put(int directory_fd, const char *name, const struct cl_buf *text, struct cl_error *err)
{
    if (text->failed < 0)
        return cl_fail(err, text->failed, "write the container's %s", name);
    cl_auto_fd fd =
        openat(directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return cl_fail(err, errno, "make the container's %s", name);
    ssize_t written = cl_write_full(fd, text->data == NULL ? "" : text->data, text->size);
    return written < 0 ? cl_fail(err, (int)written, "write the container's %s", name) : 0;
}

/* "HOST:ADDRESS" or "HOST=ADDRESS" → "ADDRESS\tHOST\n" */
static void add_host(struct cl_buf *text, const char *entry)
{
    const char *split = strchr(entry, '=');
    if (split == NULL)
        split = strchr(entry, ':');
    if (split != NULL)
        cl_buf_printf(text, "%s\t%.*s\n", split + 1, (int)(split - entry), entry);
}

static int write_hosts(int directory_fd, const struct engine_config *config, struct cl_error *err)
{
    cl_auto_buf text = CL_BUF_INIT(2 * HOST_FILE_MAX);
    cl_auto_free char *host_file = NULL;
    if (engine_is_host(config->network_mode) &&
        cl_read_file(AT_FDCWD, "/etc/hosts", HOST_FILE_MAX, &host_file, NULL, NULL) >= 0)
        cl_buf_str(&text, host_file);
    else
        cl_buf_str(&text, "127.0.0.1\tlocalhost\n"
                          "::1\tlocalhost ip6-localhost ip6-loopback\n"
                          "fe00::\tip6-localnet\n"
                          "ff00::\tip6-mcastprefix\n"
                          "ff02::1\tip6-allnodes\n"
                          "ff02::2\tip6-allrouters\n");
    for (char **entry = config->extra_hosts; entry != NULL && *entry != NULL; entry++)
        add_host(&text, *entry);
    return put(directory_fd, "hosts", &text, err);
}

/* A resolver on the host's loopback is out of reach in another network namespace. */
static bool is_loopback_line(const char *line)
{
    if (!cl_starts_with(line, "nameserver"))
        return false;
    line += strlen("nameserver");
    line += strspn(line, " \t");
    return cl_starts_with(line, "127.") || cl_starts_with(line, "::1");
}

static void add_host_resolvers(struct cl_buf *text, const struct engine_config *config)
{
    cl_auto_free char *host_file = NULL;
    /* A link into /run on many hosts, hence opened as the host's own file with links followed. */
    cl_auto_fd fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || cl_read_fd(fd, HOST_FILE_MAX, &host_file, NULL, NULL) < 0)
        return;
    for (const char *line = host_file; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (engine_is_host(config->network_mode) || !is_loopback_line(line)) {
            cl_buf_add(text, line, length);
            cl_buf_char(text, '\n');
        }
        line += length + (line[length] == '\n');
    }
}

static void add_words(struct cl_buf *text, const char *keyword, char **words)
{
    if (words == NULL)
        return;
    cl_buf_str(text, keyword);
    for (; *words != NULL; words++)
        cl_buf_printf(text, " %s", *words);
    cl_buf_char(text, '\n');
}

static int write_resolv_conf(int directory_fd, const struct engine_config *config,
                             struct cl_error *err)
{
    cl_auto_buf text = CL_BUF_INIT(2 * HOST_FILE_MAX);
    if (config->dns == NULL)
        add_host_resolvers(&text, config);
    for (char **server = config->dns; server != NULL && *server != NULL; server++)
        cl_buf_printf(&text, "nameserver %s\n", *server);
    add_words(&text, "search", config->dns_search);
    add_words(&text, "options", config->dns_options);
    return put(directory_fd, "resolv.conf", &text, err);
}

static int write_hostname(int directory_fd, const struct engine_config *config, const char *id,
                          struct cl_error *err)
{
    cl_auto_buf text = CL_BUF_INIT(512);
    char short_id[16], own[256] = "";
    if (engine_is_host(config->uts_mode)) {
        if (gethostname(own, sizeof own - 1) < 0)
            return cl_fail(err, errno, "read the host's name");
        cl_buf_printf(&text, "%s\n", own);
    } else {
        cl_buf_printf(&text, "%s\n", engine_hostname(config, id, short_id));
    }
    return put(directory_fd, "hostname", &text, err);
}

int engine_files_write(int directory_fd, const struct engine_config *config, const char *id,
                       struct cl_error *err)
{
    int result = write_hosts(directory_fd, config, err);
    if (result >= 0)
        result = write_hostname(directory_fd, config, id, err);
    if (result >= 0)
        result = write_resolv_conf(directory_fd, config, err);
    return result;
}
