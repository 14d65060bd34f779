using System.Globalization;

namespace Dunlin.Fleet.Serving;

/// <summary>
/// Who holds it is the one writer of a state folder (an flock on <c>serve.lock</c>): <c>serve</c>, or a command that
/// serves alone. The kernel gives it back when the process ends, however it ends.
/// </summary>
internal sealed class WriterLease : IDisposable
{
    private const string FileName = "serve.lock";

    /// <summary>EWOULDBLOCK, as .NET hands it on: the lock is held.</summary>
    private const int WouldBlock = 11;
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);
    private readonly FileStream _file;

    private WriterLease(FileStream file) => _file = file;

    /// <summary>Null: another process has it.</summary>
    /// <exception cref="IOException">The folder is not there, or its disk takes no writes.</exception>
    public static WriterLease? TryTake(string folder)
    {
        FileStream file;
        try
        {
            file = new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            return null;
        }

        try
        {
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            return new WriterLease(file);
        }
        catch (IOException)
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Waits for it; null if it was not to be had within the time.</summary>
    public static async Task<WriterLease?> TakeAsync(string folder, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            if (TryTake(folder) is { } lease) return lease;
            if (time.GetElapsedTime(started) > patience) return null;
            await Task.Delay(Retry, time, cancellationToken);
        }
    }

    public void Dispose() => _file.Dispose();
}
