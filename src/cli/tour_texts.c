/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tour says: one table for each language, each with every stage (a test walks them). The commands and the facts between the texts are the same in all.
 *
 * Lines are at most 80 cells wide, where an ideograph takes two.
 */
#include "cli/tour.h"

#include <strings.h>

const struct tour_language tour_languages[] = {
    {
        .name = "en",
        .welcome = "A container is an ordinary process of this machine whose view was narrowed.\n"
                   "This tour makes one, looks at it from inside and from outside, and checks in\n"
                   "/proc that what it says is so here. Everything it makes, it removes.",
        .prompt = "[Enter: go on, q: leave]",
        .checked = "\u2713 checked:",
        .more = { "\u2026 and", "more lines" },
        .another = "(The kernel has given its number to a new namespace already: somebody else's.)",
        .left = "You have left the tour. What it made is removed.",
        .farewell = "This was the tour. To look on your own: cloche view, glass, lsns, why,\n"
                    "ns tree, ns diff, pid, and run --explain.",
        .stages = {
            [TOUR_START] = {
                "A container is started",
                "A shell that starts a sleep and waits for it, in the image cloche/busybox.",
                "The engine has printed the container's id. There is no daemon: the command has\n"
                "ended, and two processes are left, the shell and its sleep.",
            },
            [TOUR_PS_INSIDE] = {
                "The processes, seen from inside",
                "ps is run in the container. How many processes does it see?",
                "Only its own: the shell, its sleep, and ps itself. The shell is process 1, as if\n"
                "the machine had started for it.",
            },
            [TOUR_PS_OUTSIDE] = {
                "The same processes, seen from outside",
                "Now the host's ps, for the two PIDs under which the host knows them.",
                "There is no second machine: the very same processes are in the host's list, with\n"
                "other numbers. NSpid in /proc/PID/status has a number for each PID namespace.",
            },
            [TOUR_STATE] = {
                "What the engine knows",
                "inspect shows what the engine keeps about the container.",
                "Its \"Pid\" is the shell's number on the host. This is all an engine needs to find\n"
                "its container again; the rest is in the kernel.",
            },
            [TOUR_LINKS] = {
                "What makes the difference: /proc/PID/ns",
                "Each process has links to the namespaces it is in. Compare those of the shell,\n"
                "of its sleep, and our own.",
                "The container's two processes agree in every link: that is what makes them one\n"
                "container. From ours they differ in all but \"user\" (There is no object\n"
                "called \"container\" anywhere in the kernel.)",
            },
            [TOUR_LSNS] = {
                "All of them at a glance: lsns",
                "lsns lists namespaces; cloche lsns also says whose container it is.",
                "Every namespace is counted with its processes. The numbers are the inodes that\n"
                "the links have just shown.",
            },
            [TOUR_MNT] = {
                "mnt hides files",
                "The container writes a file into its /tmp, and lists its root directory. Then\n"
                "the host looks at the same path.",
                "The same path is another file. The mount namespace gives the container a tree of\n"
                "mounts of its own, with another root.",
            },
            [TOUR_PID] = {
                "pid hides processes",
                "The shell's PID in each PID namespace; then the container tries to reach this\n"
                "tour by its PID on the host.",
                "\"No such process\": what has no number in the container's namespace can't be named\n"
                "there, and so can't be signalled. The host sees both.",
            },
            [TOUR_NET] = {
                "net hides interfaces",
                "The network devices of the host, then of the container (which was started with\n"
                "--network none).",
                "The container has a network stack of its own, with nothing but a loopback: its\n"
                "127.0.0.1 is not the host's. Addresses, ports and firewalls are separate, too.",
            },
            [TOUR_IPC] = {
                "ipc hides shared memory",
                "The tour makes a System V shared memory segment on the host. Both sides list\n"
                "the segments they know.",
                "The container's list is empty. Semaphores and message queues, System V's and\n"
                "POSIX's, are divided in the same way. The segment is already removed.",
            },
            [TOUR_UTS] = {
                "uts hides the hostname",
                "What is this machine called? The host and the container answer.",
                "Two names for one machine. The smallest of the namespaces holds just the hostname\n"
                "and the NIS domain name.",
            },
            [TOUR_CGROUP] = {
                "cgroup hides the place in the cgroup tree",
                "The control group of the shell, as the host sees it and as the shell does.",
                "The limits are those of the path that the host sees. Inside it is the root, \"/\":\n"
                "the namespace hides where in the tree it is, not what it may use.",
            },
            [TOUR_TIME] = {
                "time hides how long the machine runs",
                "The uptime on both sides, and the offsets of the container's clocks.",
                "The container's clocks are its own, with an offset of 0 so far. With another\n"
                "offset its uptime would go on when it is moved to another machine. The time of\n"
                "day belongs to no namespace: it is one for all.",
            },
            [TOUR_USER] = {
                "user maps users, and here it does not",
                "The map of the shell's user namespace, and who it is inside.",
                "The map is the identity: root inside is root outside. This is the one namespace\n"
                "that the container shares with us; what keeps it from doing harm is that it has\n"
                "few capabilities, a seccomp filter, masked paths and a device list.",
            },
            [TOUR_VIEW] = {
                "Both sides next to each other: view",
                "All of this in one picture, HOST | INSIDE, with a verdict for each row.",
                "view works for any process of any engine. It enters nothing and runs nothing in\n"
                "there. The end of its output says what is shared, and what that means.",
            },
            [TOUR_EXEC] = {
                "exec joins",
                "A new process in a running container: its links are shown from inside.",
                "exec starts a process and lets it join (setns) each namespace of the container.\n"
                "Nothing else makes it a part of it.",
            },
            [TOUR_OPEN] = {
                "One namespace less: --pid host",
                "Another container, this time with the host's PID namespace.",
                "It sees the processes of the whole machine, this tour among them, although files,\n"
                "network and hostname are still its own. Each namespace is a wall of its own: who\n"
                "opens one, opens just that one.",
            },
            [TOUR_END] = {
                "The end of a container",
                "The container is removed; then its PID namespace is looked for.",
                "With the last process the kernel has dissolved the namespaces. A container is\n"
                "nothing but its processes, and what they see.",
            },
        },
    },
    {
        .name = "zh-TW",
        .welcome = "容器其實是這台機器上的一個普通行程，只是它看得到的範圍被縮小了。\n"
                   "這趟導覽會建立一個容器，從裡面和外面各看一遍，並直接查看 /proc，\n"
                   "確認所說的在這台機器上都成立。導覽建立的東西，結束時都會清除。",
        .prompt = "[按 Enter 繼續，按 q 離開]",
        .checked = "\u2713 已確認：",
        .more = { "……還有", "行" },
        .another = "（核心已把這個號碼給了另一個新的命名空間。）",
        .left = "您已離開導覽，建立過的東西都清除了。",
        .farewell = "導覽到此結束。想自己動手看看：cloche view、glass、lsns、why、\n"
                    "ns tree、ns diff、pid，以及 run --explain。",
        .stages = {
            [TOUR_START] = {
                "啟動一個容器",
                "用映像檔 cloche/busybox 執行一個 shell，由它啟動 sleep 並等待結束。",
                "引擎印出了容器的 ID。這裡沒有常駐程式：命令已經結束，\n"
                "留下來的就是兩個行程：shell 和它的 sleep。",
            },
            [TOUR_PS_INSIDE] = {
                "從裡面看行程",
                "在容器裡執行 ps。它看得到幾個行程？",
                "只看得到自己的：shell、sleep，還有 ps 本身。shell 是 1 號行程，\n"
                "彷彿整台機器就是為它開機的。",
            },
            [TOUR_PS_OUTSIDE] = {
                "從外面看同樣的行程",
                "換成主機的 ps，查看這兩個行程在主機上的 PID。",
                "並沒有第二台機器：同樣的行程就列在主機的清單裡，只是號碼不同。\n"
                "/proc/PID/status 的 NSpid 列出了它在每一層 PID 命名空間裡的號碼。",
            },
            [TOUR_STATE] = {
                "引擎知道些什麼",
                "用 inspect 查看引擎替這個容器保存的資料。",
                "其中的 \"Pid\" 就是 shell 在主機上的號碼。引擎靠它就能找回容器，\n"
                "其餘的一切都在核心裡。",
            },
            [TOUR_LINKS] = {
                "差別在哪裡：/proc/PID/ns",
                "每個行程都有一組連結，指向它所在的命名空間。\n"
                "比較一下 shell、它的 sleep，以及我們自己的連結。",
                "容器裡的兩個行程，每個連結都相同，所以它們屬於同一個容器。\n"
                "和我們相比，除了 user 以外全都不同。\n"
                "（核心裡找不到名為「容器」的物件，因為根本沒有這種東西。）",
            },
            [TOUR_LSNS] = {
                "一次看完：lsns",
                "lsns 會列出命名空間；cloche lsns 還會標出屬於哪個容器。",
                "每個命名空間都附上其中的行程數。\n"
                "這些號碼正是剛才那些連結所顯示的 inode 編號。",
            },
            [TOUR_MNT] = {
                "mnt 隔開檔案",
                "容器在自己的 /tmp 寫入一個檔案，並列出根目錄。\n"
                "接著從主機查看同樣的路徑。",
                "路徑相同，檔案卻不是同一個。mount 命名空間讓容器有自己的一套掛載，\n"
                "連根目錄都不一樣。",
            },
            [TOUR_PID] = {
                "pid 隔開行程",
                "先看 shell 在每一層 PID 命名空間裡的號碼；\n"
                "再讓容器試著用主機上的 PID 找到這趟導覽的行程。",
                "「No such process」：在容器的命名空間裡沒有號碼的行程，就無法指定，\n"
                "當然也無法傳送訊號給它。主機則兩邊都看得到。",
            },
            [TOUR_NET] = {
                "net 隔開網路介面",
                "先列出主機的網路介面，再列出容器的（它以 --network none 啟動）。",
                "容器有自己的網路堆疊，裡面只有一個 loopback 介面：\n"
                "它的 127.0.0.1 不是主機的 127.0.0.1。位址、連接埠和防火牆規則也各自獨立。",
            },
            [TOUR_IPC] = {
                "ipc 隔開共享記憶體",
                "導覽在主機上建立一塊 System V 共享記憶體，再由兩邊各自列出看得到的區段。",
                "容器的清單是空的。號誌（semaphore）和訊息佇列，不論 System V 或 POSIX，\n"
                "也都以同樣的方式隔開。剛才那塊共享記憶體已經刪除。",
            },
            [TOUR_UTS] = {
                "uts 隔開主機名稱",
                "這台機器叫什麼名字？主機和容器各自回答。",
                "同一台機器，兩個名字。這是最小的命名空間，\n"
                "裡面只有主機名稱和 NIS 網域名稱。",
            },
            [TOUR_CGROUP] = {
                "cgroup 隱藏在 cgroup 樹中的位置",
                "shell 所屬的控制群組，先看主機看到的，再看它自己看到的。",
                "真正的限制設在主機看到的那個路徑上；在裡面，它就是根目錄「/」。\n"
                "這個命名空間隱藏的是位置，而不是可用的資源量。",
            },
            [TOUR_TIME] = {
                "time 隔開時鐘",
                "兩邊的開機時間（uptime），以及容器時鐘的偏移量。",
                "容器有自己的時鐘，只是目前偏移量為 0。設定其他偏移量之後，\n"
                "容器即使搬到另一台機器，uptime 也能接續下去。\n"
                "至於現在幾點，不屬於任何命名空間：大家都一樣。",
            },
            [TOUR_USER] = {
                "user 對應使用者，但這裡沒有",
                "shell 的 user 命名空間的對應表，以及它在裡面是誰。",
                "對應表是一對一的：裡面的 root 就是外面的 root。\n"
                "這是容器唯一和我們共用的命名空間；它之所以不致造成危害，是因為\n"
                "capability 很少，還有 seccomp 過濾器、遮蔽的路徑和裝置清單把關。",
            },
            [TOUR_VIEW] = {
                "兩邊並排：view",
                "把以上這些放進同一張表，左邊主機、右邊容器內，每一列都有判定。",
                "view 適用於任何引擎的任何行程。它不會進入容器，也不在裡面執行任何東西。\n"
                "輸出的最後會說明哪些是和主機共用的，以及那代表什麼。",
            },
            [TOUR_EXEC] = {
                "exec 就是加入",
                "在執行中的容器裡啟動新的行程，並從裡面列出它的連結。",
                "exec 啟動一個行程，讓它逐一加入（setns）容器的每個命名空間。\n"
                "它之所以成為容器的一部分，靠的就只是這件事。",
            },
            [TOUR_OPEN] = {
                "少一道牆：--pid host",
                "再啟動一個容器，這次使用主機的 PID 命名空間。",
                "它看得到整台機器的行程，包括這趟導覽在內；\n"
                "但檔案、網路和主機名稱仍是自己的。每個命名空間各是一道牆：\n"
                "打開哪一道，就只少那一道。",
            },
            [TOUR_END] = {
                "容器的結束",
                "移除容器，再找找看它的 PID 命名空間。",
                "最後一個行程結束時，核心就收回了這些命名空間。\n"
                "容器不過就是一些行程，以及它們所看見的世界。",
            },
        },
    },
};
const size_t tour_language_count = CL_COUNT(tour_languages);

const struct tour_language *tour_language_find(const char *name)
{
    char wanted[16];
    (void)CL_PRINT(wanted, "%.*s", (int)strcspn(name, ".@"), name); /* cut: unknown then */
    for (char *at = wanted; *at != '\0'; at++)
        *at = *at == '_' ? '-' : *at;
    for (size_t i = 0; i < tour_language_count; i++)
        if (strcasecmp(tour_languages[i].name, wanted) == 0)
            return &tour_languages[i];
    if (strcasecmp(wanted, "zh-Hant") == 0 || strcasecmp(wanted, "zh-HK") == 0)
        return &tour_languages[1]; /* also written in traditional characters */
    /* en_GB, C, POSIX */
    return strncasecmp(wanted, "en-", 3) == 0 ? &tour_languages[0] : NULL;
}
