using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>A child's standard output and error, on their way to the log. One thread. Owns the descriptor.</summary>
internal sealed class OutputPipe(Descriptor pipe, ChildLog log) : IDisposable
{
    private bool _isClosed;

    /// <summary>What to poll for more; -1 after the end.</summary>
    public int Number => _isClosed ? -1 : pipe.Number;

    /// <summary>Takes what is there, but never so much that other pipes wait long.</summary>
    public unsafe void Read()
    {
        const int chunk = 4096;
        const int chunksAtOnce = 16;
        var bytes = stackalloc byte[chunk];
        for (var i = 0; i < chunksAtOnce && !_isClosed; i++)
        {
            var count = Libc.Read(pipe.Number, bytes, chunk);
            if (count < 0) return;
            if (count > 0) log.Append(new ReadOnlySpan<byte>(bytes, (int)count));
            else Dispose();
        }
    }

    public void Dispose()
    {
        _isClosed = true;
        pipe.Dispose();
    }
}
