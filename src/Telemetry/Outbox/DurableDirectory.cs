using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Telemetry.Outbox;

/// <summary>fsync of libc: .NET swallows its errors on Linux and cannot sync a directory.</summary>
internal static partial class DurableDirectory
{
    private const int ReadOnlyDirectory = 0x10000;

    /// <exception cref="IOException">The data may be lost; a second sync would not say so.</exception>
    public static void Sync(SafeFileHandle file)
    {
        if (Fsync(file) != 0) throw new IOException($"fsync failed: {Marshal.GetLastPInvokeErrorMessage()}.", Marshal.GetLastPInvokeError());
    }

    /// <exception cref="IOException">As above.</exception>
    public static void Sync(string directory)
    {
        using var handle = Open(directory, RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : ReadOnlyDirectory);
        if (handle.IsInvalid) throw new IOException($"'{directory}' cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        Sync(handle);
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);
}
