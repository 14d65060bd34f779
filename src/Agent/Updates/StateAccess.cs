using System.Runtime.InteropServices;
using System.Text;

namespace Dunlin.Agent.Updates;

/// <summary>Whether the state folder could be written, without writing: flash wears.</summary>
internal static partial class StateAccess
{
    /// <summary>EROFS, as the result of a failed call.</summary>
    public const int ReadOnlyFileSystem = 30;

    private static ReadOnlySpan<byte> Emergency => "emergency_ro"u8;

    private const int WriteAllowed = 2, EntryAllowed = 1 | 4;
    private const int PermissionDenied = 13;

    /// <summary>Its file system takes no writes: mounted so, or after errors.</summary>
    public static bool IsReadOnly(string path) => (Access(path, WriteAllowed) != 0 && Marshal.GetLastPInvokeError() == ReadOnlyFileSystem) || IsEmergency(path);

    /// <summary>Since Linux 6.15 ext4 with <c>errors=remount-ro</c> only says so among its options, and refuses each write when it comes.</summary>
    private static bool IsEmergency(string path)
    {
        try
        {
            // Looked at every few seconds: only where any file system says so is it worth to find out which one is ours.
            var mounts = File.ReadAllBytes("/proc/self/mountinfo");
            if (mounts.AsSpan().IndexOf(Emergency) < 0) return false;
            // The fifth field is where it is mounted, the last one has the file system's own options (proc_pid_mountinfo(5)).
            return Encoding.UTF8.GetString(mounts).Split('\n').Select(line => line.Split(' ')).Where(fields => fields.Length > 6 && IsBelow(path, fields[4]))
                .MaxBy(fields => fields[4].Length) is { } mount && mount[^1].Split(',').Contains(Encoding.UTF8.GetString(Emergency));
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static bool IsBelow(string path, string mounted) => mounted == "/" || path == mounted || path.StartsWith(mounted + "/", StringComparison.Ordinal);

    /// <summary>It is there, or may be, and this user may not look into it: to <see cref="File.Exists"/> it is as if it were empty.</summary>
    public static bool IsHidden(string path) => Access(path, EntryAllowed) != 0 && Marshal.GetLastPInvokeError() == PermissionDenied;

    /// <summary>It belongs to another user.</summary>
    public static bool IsForbidden(string path) => Access(path, WriteAllowed) != 0 && Marshal.GetLastPInvokeError() == PermissionDenied;

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
