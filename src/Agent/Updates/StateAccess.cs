using System.Runtime.InteropServices;

namespace Dunlin.Agent.Updates;

/// <summary>Whether the state folder could be written, without writing: flash wears.</summary>
internal static partial class StateAccess
{
    /// <summary>EROFS, as the result of a failed call.</summary>
    public const int ReadOnlyFileSystem = 30;

    private const int WriteAllowed = 2;
    private const int PermissionDenied = 13;

    /// <summary>Its file system takes no writes: mounted so, or after errors.</summary>
    public static bool IsReadOnly(string path) => (Access(path, WriteAllowed) != 0 && Marshal.GetLastPInvokeError() == ReadOnlyFileSystem) || IsEmergency(path);

    /// <summary>Since Linux 6.15 ext4 with <c>errors=remount-ro</c> only says so among its options, and refuses each write when it comes.</summary>
    private static bool IsEmergency(string path)
    {
        try
        {
            // The fifth field is where it is mounted, the last one has the file system's own options (proc_pid_mountinfo(5)).
            return File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')).Where(fields => fields.Length > 6 && IsBelow(path, fields[4]))
                .MaxBy(fields => fields[4].Length) is { } mount && mount[^1].Split(',').Contains("emergency_ro");
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static bool IsBelow(string path, string mounted) => mounted == "/" || path == mounted || path.StartsWith(mounted + "/", StringComparison.Ordinal);

    /// <summary>It belongs to another user.</summary>
    public static bool IsForbidden(string path) => Access(path, WriteAllowed) != 0 && Marshal.GetLastPInvokeError() == PermissionDenied;

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
