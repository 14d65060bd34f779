using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>The frame of every child's <c>Main</c>: into the sandbox, greet, work, and exit with a code that the supervisor understands.</summary>
internal static class ChildProgram
{
    /// <param name="arguments">Those after the role's name.</param>
    /// <param name="runtimeVersion">Loads libonnxruntime and says its version, empty where there is none to load; called inside the sandbox.</param>
    /// <param name="body">The child's work, until the supervisor is done with it; its result is the exit code.</param>
    public static int Run(IReadOnlyList<string> arguments, Func<string> runtimeVersion, Func<SupervisorPipe, int> body)
    {
        try
        {
            var entered = Sandbox.Enter(arguments);
            using var pipe = new SupervisorPipe();
            return pipe.Greet(entered.Missing, runtimeVersion) ? body(pipe) : 0;
        }
        catch (MessageException e)
        {
            return Say(e.Message, ChildExitStatus.Protocol);
        }
        catch (OutOfMemoryException e)
        {
            return Say(e.Message, ChildExitStatus.OutOfMemory);
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            return Say(e.Message, ChildExitStatus.Sandbox);
        }
    }

    /// <summary>The <c>camera</c> role: becomes the camera program, inside a sandbox. Returns only if it cannot.</summary>
    public static int RunCamera(IReadOnlyList<string> arguments)
    {
        try
        {
            Sandbox.Become(arguments);
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            return Say(e.Message, ChildExitStatus.Sandbox);
        }

        return ChildExitStatus.Sandbox;
    }

    private static int Say(string message, int status)
    {
        Console.Error.WriteLine(message);
        return status;
    }
}
