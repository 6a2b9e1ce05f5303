/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in an IPC namespace: System V objects by the *_STAT_ANY calls, which need no permission over the object; POSIX queues by a
 * mount of mqueue that is attached nowhere and goes with its descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "lens/peek.h"

#ifndef SHM_STAT_ANY /* Linux 4.17 */
#define SHM_STAT_ANY 15
#define MSG_STAT_ANY 13
#define SEM_STAT_ANY 20
#endif

static struct lens_ipc_object *next_object(struct lens_ipc *ipc, char kind, int id,
                                           const struct ipc_perm *perm)
{
    if (id < 0 || ipc->object_count == LENS_IPC_OBJECTS_MAX)
        return NULL; /* a free slot, or more than we keep */
    struct lens_ipc_object *object = &ipc->objects[ipc->object_count++];
    *object = (struct lens_ipc_object){
        .kind = kind, .id = id, .key = (uint32_t)perm->__key, .uid = perm->uid
    };
    return object;
}

/* Slots 0 … last may be taken or free. */
static void read_objects(struct lens_ipc *ipc, int last_segment, int last_queue, int last_set)
{
    struct lens_ipc_object *object;
    struct shmid_ds segment;
    struct msqid_ds queue;
    struct semid_ds set;
    for (int slot = 0; slot <= last_segment; slot++) {
        int id = shmctl(slot, SHM_STAT_ANY, &segment);
        if ((object = next_object(ipc, 'm', id, &segment.shm_perm)) != NULL)
            object->size = segment.shm_segsz;
    }
    for (int slot = 0; slot <= last_queue; slot++) {
        int id = msgctl(slot, MSG_STAT_ANY, &queue);
        if ((object = next_object(ipc, 'q', id, &queue.msg_perm)) != NULL)
            object->size = queue.msg_qnum;
    }
    for (int slot = 0; slot <= last_set; slot++) {
        int id = semctl(slot, 0, SEM_STAT_ANY, &set);
        if ((object = next_object(ipc, 's', id, &set.sem_perm)) != NULL)
            object->size = set.sem_nsems;
    }
}

static int read_system_v(struct lens_ipc *ret)
{
    struct msginfo queues = { 0 };
    struct seminfo sets = { 0 };
    struct shm_info segments = { 0 };
    /* The INFO calls fill these structs through pointers of other types: msgctl(2), semctl(2), shmctl(2). */
    int last_queue = msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&queues);
    int last_set = semctl(0, 0, SEM_INFO, &sets);
    int last_segment = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&segments);
    if (last_queue < 0 || last_set < 0 || last_segment < 0)
        return -errno;
    *ret = (struct lens_ipc){ .queues = queues.msgpool,
                              .semaphore_sets = sets.semusz,
                              .segments = segments.used_ids,
                              .posix_queues = -1 };
    read_objects(ret, last_segment, last_queue, last_set);
    return 0;
}

/* ---- POSIX queues ---- */

struct entry { /* linux_dirent64, getdents(2) */
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
};
enum { NAME_OFFSET = 19 };

static void take_name(struct lens_ipc *ipc, const char *name)
{
    if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')))
        return;
    ipc->posix_queues++;
    if (ipc->object_count == LENS_IPC_OBJECTS_MAX)
        return;
    struct lens_ipc_object *object = &ipc->objects[ipc->object_count++];
    *object = (struct lens_ipc_object){ .kind = 'p' };
    (void)CL_PRINT(object->name, "/%s", name); /* cut at worst */
}

static void read_queues(struct lens_ipc *ipc, int mount_fd)
{
    _Alignas(8) char buffer[8192];
    cl_auto_fd dir =
        mount_fd < 0 ? -EBADF : openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return;
    ipc->posix_queues = 0;
    for (long size; (size = syscall(SYS_getdents64, dir, buffer, sizeof buffer)) > 0;) {
        for (long at = 0; at < size;) {
            struct entry entry;
            memcpy(&entry, buffer + at, NAME_OFFSET);
            take_name(ipc, buffer + at + NAME_OFFSET);
            at += entry.length;
        }
    }
}

/* The new mount API makes it in our IPC namespace, attached to no mount namespace. */
static int mount_queues(void)
{
    cl_auto_fd fs = k_fsopen("mqueue");
    int code = fs < 0 ? fs : k_fsconfig_create(fs);
    return code < 0 ? code : k_fsmount(fs, MOUNT_ATTR_RDONLY);
}

int lens_ipc_read(struct lens_ipc *ret)
{
    int code = read_system_v(ret);
    cl_auto_fd queues = code < 0 ? -EBADF : mount_queues();
    if (code >= 0)
        read_queues(ret, queues);
    return code;
}

static int prepare_ipc(void *context)
{
    int *mount_fd = context;
    *mount_fd = mount_queues();
    return *mount_fd;
}

static int read_ipc(void *context, void *answer)
{
    const int *mount_fd = context;
    int code = read_system_v(answer);
    if (code >= 0)
        read_queues(answer, *mount_fd);
    return code;
}

int lens_peek_ipc(int ns_fd, struct lens_ipc *ret)
{
    int mount_fd = -EBADF; /* the child's */
    struct lens_peek peek = { .ns_fd = ns_fd,
                              .type = K_NS_IPC,
                              .prepare = prepare_ipc,
                              .read = read_ipc,
                              .context = &mount_fd,
                              .answer = ret,
                              .size = sizeof *ret };
    int code = lens_peek(&peek);
    if (code >= 0 && ret->object_count > LENS_IPC_OBJECTS_MAX)
        return -EIO;
    for (unsigned i = 0; code >= 0 && i < ret->object_count; i++)
        ret->objects[i].name[sizeof ret->objects[i].name - 1] = '\0';
    return code;
}

char *lens_ipc_text(const struct lens_ipc_object *object)
{
    static const struct {
        char kind;
        const char *name, *unit;
    } kinds[] = { { 'm', "shared memory", "bytes" },
                  { 'q', "queue", "messages" },
                  { 's', "semaphore set", "semaphores" } };
    for (size_t i = 0; i < CL_COUNT(kinds); i++)
        if (kinds[i].kind == object->kind)
            return cl_format("%s %d: %llu %s, key 0x%x, uid %u", kinds[i].name, object->id,
                             (unsigned long long)object->size, kinds[i].unit, object->key,
                             object->uid);
    return cl_format("POSIX queue %s", object->name);
}
