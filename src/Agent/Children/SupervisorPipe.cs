using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;
using Dunlin.Contracts;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>The child's end of the message pipes. Sending is safe from any thread and waits while the supervisor is behind.</summary>
public sealed class SupervisorPipe : IDisposable
{
    private readonly MessageReader _reader = new(ChildDescriptors.FromSupervisor);
    private readonly MessageWriter _writer = new();
    private readonly Lock _gate = new();

    /// <summary>Waits for the greeting and answers it.</summary>
    /// <param name="missingSandbox">What the kernel lacks, each in a sentence.</param>
    /// <param name="runtimeVersion">Loads libonnxruntime and says its version; empty where there is none to load.</param>
    /// <returns>False if the supervisor closed the pipe instead.</returns>
    /// <exception cref="MessageException">Another protocol, or no greeting.</exception>
    public bool Greet(IReadOnlyList<string> missingSandbox, Func<string> runtimeVersion)
    {
        switch (Receive())
        {
            case null: return false;
            case Hello { Protocol: Hello.CurrentProtocol }: break;
            case Hello hello: throw new MessageException($"The supervisor speaks protocol {hello.Protocol}, this child {Hello.CurrentProtocol}; both must be of one installation.");
            case var other: throw new MessageException($"The first message is '{other.GetType().Name}', not the greeting.");
        }

        Send(new Ready { Protocol = Hello.CurrentProtocol, MissingSandbox = missingSandbox, OnnxRuntimeVersion = runtimeVersion() });
        return true;
    }

    /// <summary>The next message, or null when the supervisor has closed the pipe.</summary>
    /// <exception cref="MessageException">What came is not of the protocol.</exception>
    public ToChild? Receive() => _reader.Read(StrictJson.Default.ToChild);

    /// <exception cref="MessageException">The supervisor is gone, or the message too long.</exception>
    public void Send(FromChild message)
    {
        lock (_gate) Write(_writer.Write(message).Span);
    }

    /// <summary>A <see cref="FrameResult"/>, without an allocation.</summary>
    /// <exception cref="MessageException">The supervisor is gone.</exception>
    public void SendResult(long frame, int session, long capturedNanoseconds, double latencyMilliseconds, ReadOnlySpan<ClassScore> scores)
    {
        lock (_gate) Write(_writer.WriteResult(frame, capturedNanoseconds, latencyMilliseconds, scores, session).Span);
    }

    public void Dispose() => _writer.Dispose();

    private static unsafe void Write(ReadOnlySpan<byte> message)
    {
        fixed (byte* bytes = message)
        {
            for (var written = 0; written < message.Length;)
            {
                var count = Libc.Write(ChildDescriptors.ToSupervisor, bytes + written, message.Length - written);
                if (count >= 0) written += (int)count;
                else if (Marshal.GetLastPInvokeError() != Libc.Interrupted) throw new MessageException($"The supervisor's pipe cannot be written: {Libc.LastError()}.");
            }
        }
    }
}
