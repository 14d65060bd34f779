using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Fleet.Watching;

/// <summary>Standard output for who writes until nobody reads: the console's own stream takes a reader that has gone for one that reads on.</summary>
internal static class StandardOutput
{
    private const int Descriptor = 1, BrokenPipe = 32;

    public static TextWriter Open()
    {
        var stream = new FileStream(new SafeFileHandle(Descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        // Into a file it would count its place by itself, and write over what standard error has put there.
        return stream.CanSeek ? Console.Out : new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    /// <summary>Nobody reads any more. Source: EPIPE of errno(3), which .NET hands on.</summary>
    public static bool HasNoReader(IOException failure) => failure.HResult == BrokenPipe;
}
