import java.io.IOException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import javassist.ClassClassPath;
import javassist.ClassPool;
import javassist.CtClass;
import org.igniterealtime.smack.inttest.AbstractSmackLowLevelIntegrationTest;
import org.igniterealtime.smack.inttest.AbstractSmackSpecificLowLevelIntegrationTest;
import org.igniterealtime.smack.inttest.Configuration;
import org.igniterealtime.smack.inttest.SmackIntegrationTestFramework;
import org.igniterealtime.smack.inttest.SmackIntegrationTestFramework.ConcreteTest;
import org.igniterealtime.smack.inttest.SmackIntegrationTestFramework.TestRunResult;
import org.igniterealtime.smack.inttest.annotations.SmackIntegrationTest;

/**
 * Runs Smack's integration tests and says what became of each, one a line:
 * {@code RESULT pass|fail|impossible TEST<TAB>WHY}. The rest of what it writes is the log.
 *
 * <p>Its arguments are a command that makes an account: {@code NAME} and {@code PASSWORD}
 * in them are replaced, and the password goes to its standard input too. The framework itself would have accounts made by the
 * server, in-band (XEP-0077) or by an administrator's commands (XEP-0133). Without
 * either, every test that wants a connection of its own would be impossible, those of
 * stream management among them; so that one method is replaced.
 */
public final class Runner {
    private static final String PACKAGE = "org.igniterealtime.smack.inttest.";
    private static final String REGISTER = "conformance.register";

    public static void main(String[] command) throws Exception {
        BiConsumer<String, String> register = (name, password) -> register(command, name, password);
        System.getProperties().put(REGISTER, register);
        mend();
        Configuration configuration = Configuration.newConfiguration(new String[0]);
        report(configuration, new SmackIntegrationTestFramework(configuration).run());
        // Connections that tests have left behind keep threads.
        System.exit(0);
    }

    /** Replaces two methods of classes that are not loaded yet. */
    private static void mend() throws Exception {
        ClassPool classes = new ClassPool();
        classes.appendClassPath(new ClassClassPath(Configuration.class));
        CtClass manager = classes.get(PACKAGE + "XmppConnectionManager");
        manager.getDeclaredMethod("registerAccount").setBody(
            "((java.util.function.BiConsumer) System.getProperties().get(\"" + REGISTER + "\"))"
            + ".accept($1, $2);");
        manager.toClass(Configuration.class);
        // An exception of Java's own, as on a form that lacks a field, would end the run.
        CtClass framework = classes.get(PACKAGE + "SmackIntegrationTestFramework");
        framework.getDeclaredMethod("throwFatalException").setBody(
            "{ if ($1 instanceof InterruptedException) throw (InterruptedException) $1;"
            + " if ($1 instanceof Error) throw (Error) $1;"
            + " return (Exception) $1; }");
        framework.toClass(Configuration.class);
    }

    private static void register(String[] command, String name, String password) {
        try {
            List<String> words = Arrays.stream(command)
                .map(word -> word.replace("NAME", name).replace("PASSWORD", password))
                .toList();
            Process process = new ProcessBuilder(words)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
            try (var input = process.outputWriter()) {
                input.write(password + "\n");
            } catch (IOException error) {
                // A command that reads nothing closes it.
            }
            if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException("the account " + name + " was not made");
            }
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void report(Configuration configuration, TestRunResult result) {
        result.getSuccessfulTests().forEach(test -> say("pass", name(test.concreteTest), ""));
        result.getFailedTests().forEach(test -> say("fail", name(test.concreteTest), test.failureReason));
        result.getNotPossibleTests().forEach(test ->
            say("impossible", name(test.concreteTest), test.testNotPossibleException.getMessage()));
        // Of a class that cannot be set up, the framework does not name the tests.
        result.getImpossibleTestClasses().forEach((type, why) ->
            names(configuration, type).forEach(name -> say("impossible", name, why.getMessage())));
    }

    private static String name(ConcreteTest test) {
        return name(test.getMethod(), test.getSubdescriptons());
    }

    private static Stream<String> names(Configuration configuration, Class<?> type) {
        boolean takesAnyConnection = AbstractSmackLowLevelIntegrationTest.class.isAssignableFrom(type)
            && !AbstractSmackSpecificLowLevelIntegrationTest.class.isAssignableFrom(type);
        Stream<String> connections = takesAnyConnection
            ? configuration.enabledConnections.stream()
            : Stream.of("");
        return connections.flatMap(connection -> Arrays.stream(type.getMethods())
            .filter(method -> method.isAnnotationPresent(SmackIntegrationTest.class))
            .map(method -> name(method, connection.isEmpty() ? List.of() : List.of(connection))));
    }

    /** {@code CLASS.METHOD}, and the kind of connection if the test takes any. */
    private static String name(Method method, List<String> connection) {
        String name = method.getDeclaringClass().getSimpleName() + "." + method.getName();
        return connection.isEmpty() ? name : name + "/" + String.join(",", connection);
    }

    private static void say(String outcome, String test, Object why) {
        System.out.println("RESULT " + outcome + " " + test + "\t" + String.valueOf(why).replaceAll("\\s+", " "));
    }
}
