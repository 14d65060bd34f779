using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>The pipe into a child: messages wait, boundedly many, until it reads. Guarded by its owner's lock. Owns the descriptor.</summary>
internal sealed class CommandPipe(Descriptor pipe) : IDisposable
{
    public const int MaximumWaiting = 64;

    private readonly Queue<byte[]> _waiting = new();
    private readonly MessageWriter _writer = new();
    private int _written;

    /// <summary>The child does not read any more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>What to poll until the pipe takes more; -1 while nothing waits.</summary>
    public int Wanted => IsClosed || _waiting.Count == 0 ? -1 : pipe.Number;

    /// <summary>False if too many wait.</summary>
    public bool TryAdd(ToChild message)
    {
        if (_waiting.Count >= MaximumWaiting) return false;
        _waiting.Enqueue(_writer.Write(message).ToArray());
        return true;
    }

    /// <summary>Writes as much as the pipe takes now.</summary>
    public unsafe void Write()
    {
        while (!IsClosed && _waiting.TryPeek(out var message))
        {
            nint count;
            fixed (byte* bytes = message) count = Libc.Write(pipe.Number, bytes + _written, message.Length - _written);
            if (count < 0)
            {
                if (Marshal.GetLastPInvokeError() is not (Libc.TryAgain or Libc.Interrupted)) Dispose();
                return;
            }

            _written += (int)count;
            if (_written < message.Length) return;
            _written = 0;
            _waiting.Dequeue();
        }
    }

    public void Dispose()
    {
        IsClosed = true;
        _waiting.Clear();
        pipe.Dispose();
        _writer.Dispose();
    }
}
