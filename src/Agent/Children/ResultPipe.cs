using Dunlin.Agent.Sandboxing;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>The pipe out of a child: puts its messages together and hands them on. One thread. Owns the descriptor.</summary>
internal sealed class ResultPipe(Descriptor pipe, Action<FromChild>? received) : IDisposable
{
    private readonly MessageBuffer _messages = new();
    private bool _isClosed;

    /// <summary>What to poll for more; -1 after the end.</summary>
    public int Number => _isClosed ? -1 : pipe.Number;

    /// <summary>One read and the messages that it completes; false if nothing was there.</summary>
    /// <exception cref="MessageException">What came is not of the protocol, or cannot be true.</exception>
    public unsafe bool Read()
    {
        if (_isClosed) return false;
        var free = _messages.Free;
        nint count;
        fixed (byte* bytes = free) count = Libc.Read(pipe.Number, bytes, free.Length);
        if (count < 0) return false;
        if (count == 0)
        {
            Dispose();
            return _messages.IsEmpty ? false : throw new MessageException("Its pipe ended within a message.");
        }

        _messages.Advance((int)count);
        while (_messages.TakeFromChild() is { } message) received?.Invoke(message);
        return true;
    }

    public void Dispose()
    {
        _isClosed = true;
        pipe.Dispose();
    }
}
