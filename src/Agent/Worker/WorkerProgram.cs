using Dunlin.Agent.Children;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Agent.Worker;

/// <summary>The <c>worker</c> role: camera, decoder, ONNX Runtime and the frame loop, in a sandbox; told what to do through a pipe.</summary>
internal static class WorkerProgram
{
    /// <param name="arguments">Those after the role's name.</param>
    public static int Run(IReadOnlyList<string> arguments) =>
        ChildProgram.Run(arguments, () => Providers.OnnxRuntimeVersion, Serve);

    private static int Serve(SupervisorPipe pipe)
    {
        FrameLoop? loop = null;
        try
        {
            while (true)
            {
                switch (pipe.Receive())
                {
                    case null or StopChild:
                        return 0;
                    case Load load when loop is null:
                        loop = FrameLoop.Start(load, pipe, TimeProvider.System);
                        break;
                    case Swap swap when loop is not null:
                        loop.Swap(swap.Session);
                        break;
                    case SetWindow window when loop is not null:
                        loop.SetWindow(TimeSpan.FromMilliseconds(window.WindowMilliseconds));
                        break;
                    case TakeSnapshot when loop is not null:
                        loop.SendSnapshot();
                        break;
                    case var other:
                        throw new MessageException($"'{other.GetType().Name}' is not for a worker {(loop is null ? "that has loaded nothing" : "that runs")}.");
                }
            }
        }
        catch (ModelLoadException e)
        {
            pipe.Send(new ChildError { Code = e.Code, Detail = e.Message });
            return ChildExitStatus.Failed;
        }
        finally
        {
            loop?.Dispose();
        }
    }
}
