namespace Dunlin.Agent.Sandboxing;

/// <summary>System calls that a child does not make, by number. Source: Linux 6.1 <c>asm/unistd_64.h</c> and <c>asm-generic/unistd.h</c>.</summary>
internal static class ForbiddenCalls
{
    /// <summary>Absent from an architecture's table.</summary>
    private const int None = -1;

    /// <summary>Name, number on x86-64, number on arm64.</summary>
    private static readonly (string Name, int X64, int Arm64)[] Calls =
    [
        // No network, not even within the machine.
        ("socket", 41, 198), ("socketpair", 53, 199), ("connect", 42, 203), ("bind", 49, 200), ("listen", 50, 201), ("accept", 43, 202),
        ("accept4", 288, 242), ("sendto", 44, 206), ("sendmsg", 46, 211), ("sendmmsg", 307, 269), ("recvmmsg", 299, 243),
        // Other processes are not to be read, stopped or signalled.
        ("ptrace", 101, 117), ("process_vm_readv", 310, 270), ("process_vm_writev", 311, 271), ("kcmp", 312, 272), ("pidfd_getfd", 438, 438),
        ("pidfd_open", 434, 434), ("pidfd_send_signal", 424, 424), ("process_madvise", 440, 440), ("process_mrelease", 448, 448),
        ("migrate_pages", 256, 238), ("move_pages", 279, 239), ("tkill", 200, 130), ("rt_sigqueueinfo", 129, 138), ("rt_tgsigqueueinfo", 297, 240),
        // Nor slowed down or held up. .NET asks for the usual scheduler for its own threads, and goes on without an answer.
        ("setpriority", 141, 140), ("ioprio_set", 251, 30), ("sched_setparam", 142, 118), ("sched_setscheduler", 144, 119), ("sched_setattr", 314, 274),
        // No other program and no other process; threads are looked at in the filter.
        ("execve", 59, 221), ("execveat", 322, 281), ("fork", 57, None), ("vfork", 58, None), ("unshare", 272, 97), ("setns", 308, 268),
        // Interfaces that have held most of the kernel's recent holes.
        ("io_uring_setup", 425, 425), ("io_uring_enter", 426, 426), ("io_uring_register", 427, 427), ("bpf", 321, 280), ("perf_event_open", 298, 241),
        ("userfaultfd", 323, 282),
        // The kernel's keys.
        ("add_key", 248, 217), ("request_key", 249, 218), ("keyctl", 250, 219),
        // Mounts.
        ("mount", 165, 40), ("umount2", 166, 39), ("pivot_root", 155, 41), ("chroot", 161, 51), ("move_mount", 429, 429), ("open_tree", 428, 428),
        ("fsopen", 430, 430), ("fsconfig", 431, 431), ("fsmount", 432, 432), ("fspick", 433, 433), ("mount_setattr", 442, 442), ("swapon", 167, 224),
        ("swapoff", 168, 225), ("quotactl", 179, 60), ("acct", 163, 89),
        // Landlock does not cover a file's mode, owner and times.
        ("chmod", 90, None), ("fchmod", 91, 52), ("fchmodat", 268, 53), ("fchmodat2", 452, 452), ("chown", 92, None), ("fchown", 93, 55),
        ("lchown", 94, None), ("fchownat", 260, 54), ("setxattr", 188, 5), ("lsetxattr", 189, 6), ("fsetxattr", 190, 7), ("removexattr", 197, 14),
        ("lremovexattr", 198, 15), ("fremovexattr", 199, 16), ("utime", 132, None), ("utimes", 235, None), ("futimesat", 261, None),
        ("utimensat", 280, 88),
        // Ways to a file around its path.
        ("open_by_handle_at", 304, 265), ("name_to_handle_at", 303, 264), ("fanotify_init", 300, 262),
        // Memory and queues shared with other processes.
        ("shmget", 29, 194), ("shmat", 30, 196), ("shmctl", 31, 195), ("semget", 64, 190), ("semop", 65, 193), ("semctl", 66, 191),
        ("semtimedop", 220, 192), ("msgget", 68, 186), ("msgsnd", 69, 189), ("msgrcv", 70, 188), ("msgctl", 71, 187), ("mq_open", 240, 180),
        // What only the machine's owner does.
        ("kexec_load", 246, 104), ("kexec_file_load", 320, 294), ("init_module", 175, 105), ("finit_module", 313, 273), ("delete_module", 176, 106),
        ("reboot", 169, 142), ("syslog", 103, 116), ("iopl", 172, None), ("ioperm", 173, None), ("modify_ldt", 154, None), ("vhangup", 153, 58),
        ("lookup_dcookie", 212, 18),
        // The machine's clock and name.
        ("settimeofday", 164, 170), ("clock_settime", 227, 112), ("clock_adjtime", 305, 266), ("adjtimex", 159, 171), ("sethostname", 170, 161),
        ("setdomainname", 171, 162),
    ];

    public static IEnumerable<int> Numbers(bool arm64) => Calls.Select(call => arm64 ? call.Arm64 : call.X64).Where(number => number != None);
}
