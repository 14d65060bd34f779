using System.Runtime.InteropServices;

namespace Dunlin.Agent.Updates;

/// <summary>Whether the state folder could be written, without writing: flash wears.</summary>
internal static partial class StateAccess
{
    /// <summary>EROFS, as the result of a failed call.</summary>
    public const int ReadOnlyFileSystem = 30;

    private const int WriteAllowed = 2;
    private const int PermissionDenied = 13;

    /// <summary>Its file system is mounted read-only, as the kernel does after errors.</summary>
    public static bool IsReadOnly(string path) => Access(path, WriteAllowed) != 0 && Marshal.GetLastPInvokeError() == ReadOnlyFileSystem;

    /// <summary>It belongs to another user.</summary>
    public static bool IsForbidden(string path) => Access(path, WriteAllowed) != 0 && Marshal.GetLastPInvokeError() == PermissionDenied;

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
