using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>
/// Which file or folder stands at a path: one that was deleted and made anew is another, also where the file system gives
/// the new one the number of the old. Source: statx(2).
/// </summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, ulong BornSeconds, uint BornNanoseconds)
{
    /// <summary>Null if nothing is there, or nothing that may be looked at.</summary>
    public static unsafe FileIdentity? Of(string path)
    {
        const int byteCount = 256, inodeAt = 32, bornAt = 80, deviceAt = 136;
        const nint currentFolder = -100, wanted = 0x100 | 0x800;
        var call = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 291 : 332;
        var status = stackalloc byte[byteCount];
        fixed (byte* name = NullTerminated.Path(path))
        {
            if (Libc.Syscall(call, currentFolder, (nint)name, 0, wanted, (nint)status) < 0) return null;
        }

        return new FileIdentity(*(ulong*)(status + deviceAt), *(ulong*)(status + inodeAt), *(ulong*)(status + bornAt), *(uint*)(status + bornAt + sizeof(ulong)));
    }
}
